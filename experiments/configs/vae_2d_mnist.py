"""VAE (MLP) with two latents on MNIST, for pictures of its codes.

python -m experiments.train vae_2d_mnist --data-dir DIR
"""

from experiments.runs.experiment import Experiment
from jaxgen.autoencoders import vae
from jaxgen.autoencoders.networks import ATIENZA_MLP
from jaxgen.optimizers import Adam, Optimizer

EXPERIMENT = Experiment(
    model=vae.Config(
        latent_dim=2,
        encoder=ATIENZA_MLP.encoder,
        decoder=ATIENZA_MLP.decoder,
        optimizer=Optimizer(1e-3, Adam()),
    ),
    data="mnist",
    steps=15_000,
    batch_size=128,
    steps_per_call=20,
    pictures=("samples", "reconstructions", "codes", "code_grid"),
)
