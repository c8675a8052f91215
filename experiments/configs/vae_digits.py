"""VAE (MLP, 10 latents) on scikit-learn's 8x8 handwritten digits.

python -m experiments.train vae_digits
"""

from experiments.runs.experiment import Experiment
from jaxgen.autoencoders import vae
from jaxgen.autoencoders.networks import mirrored
from jaxgen.optimizers import Adam, Optimizer

EXPERIMENT = Experiment(
    model=vae.Config(
        image_shape=(8, 8, 1),
        latent_dim=10,
        encoder=mirrored(256).encoder,
        decoder=mirrored(256).decoder,
        optimizer=Optimizer(1e-3, Adam()),
    ),
    data="digits",
    steps=10_000,
    steps_per_call=50,
    pictures=("samples", "reconstructions"),
)
