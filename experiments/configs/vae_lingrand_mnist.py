"""VAE with the networks of Lingrand and Precioso's course (784-256-28) on MNIST, squared error as its likelihood.

python -m experiments.train vae_lingrand_mnist --data-dir DIR
"""

from experiments.runs.experiment import Experiment
from jaxgen.autoencoders import vae
from jaxgen.autoencoders.likelihoods import Gaussian
from jaxgen.autoencoders.networks import LINGRAND_PRECIOSO
from jaxgen.optimizers import Adam, Optimizer

EXPERIMENT = Experiment(
    model=vae.Config(
        latent_dim=28,
        encoder=LINGRAND_PRECIOSO.encoder,
        decoder=LINGRAND_PRECIOSO.decoder,
        likelihood=Gaussian(0.5),  # 784 times the mean squared error
        optimizer=Optimizer(1e-3, Adam()),
    ),
    data="mnist",
    steps=10_000,
    batch_size=128,
    steps_per_call=20,
    pictures=("samples", "reconstructions"),
)
