"""beta-VAE (MLP, 10 latents, beta 4) on MNIST.

python -m experiments.train beta_vae_mnist --data-dir DIR
"""

from experiments.runs.experiment import Experiment
from jaxgen.autoencoders import vae
from jaxgen.autoencoders.bounds import ELBO
from jaxgen.autoencoders.networks import FLAX_EXAMPLE
from jaxgen.optimizers import Adam, Optimizer

EXPERIMENT = Experiment(
    model=vae.Config(
        latent_dim=10,
        encoder=FLAX_EXAMPLE.encoder,
        decoder=FLAX_EXAMPLE.decoder,
        objective=ELBO(beta=4.0),
        optimizer=Optimizer(1e-3, Adam()),
    ),
    data="mnist",
    steps=10_000,
    batch_size=128,
    steps_per_call=20,
    pictures=("samples", "reconstructions"),
)
