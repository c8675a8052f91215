"""VAE with the networks of Jodoin's course (784-128-64-32) on MNIST.

python -m experiments.train vae_jodoin_mnist --data-dir DIR
"""

from experiments.runs.experiment import Experiment
from jaxgen.autoencoders import vae
from jaxgen.autoencoders.likelihoods import Bernoulli
from jaxgen.autoencoders.networks import JODOIN
from jaxgen.optimizers import Adam, Optimizer

EXPERIMENT = Experiment(
    model=vae.Config(
        latent_dim=32,
        encoder=JODOIN.encoder,
        decoder=JODOIN.decoder,
        likelihood=Bernoulli("once"),
        optimizer=Optimizer(1e-3, Adam()),
    ),
    data="mnist",
    steps=10_000,
    batch_size=128,
    steps_per_call=20,
    pictures=("samples", "reconstructions"),
)
