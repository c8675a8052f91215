"""VAE with Flax's example networks (784-500-20) on MNIST, binarised once.

python -m experiments.train vae_mnist --data-dir DIR
"""

from experiments.runs.experiment import Experiment
from jaxgen.autoencoders import vae
from jaxgen.autoencoders.likelihoods import Bernoulli
from jaxgen.autoencoders.networks import FLAX_EXAMPLE
from jaxgen.optimizers import Adam, Optimizer

EXPERIMENT = Experiment(
    model=vae.Config(
        latent_dim=20,
        encoder=FLAX_EXAMPLE.encoder,
        decoder=FLAX_EXAMPLE.decoder,
        likelihood=Bernoulli("once"),
        optimizer=Optimizer(1e-3, Adam()),
    ),
    data="mnist",
    steps=3_900,
    batch_size=128,
    pictures=("samples", "reconstructions"),
)
