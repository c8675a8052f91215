"""Ladder VAE (convolutional, latents of 128, 64 and 32, discretised logistic likelihood) on CIFAR-10.

python -m experiments.train hierarchical_vae_cifar10 --data-dir DIR
python -m experiments.likelihood runs/hierarchical_vae_cifar10
"""

from experiments.runs.experiment import Experiment
from jaxgen.autoencoders import hierarchical_vae
from jaxgen.autoencoders.bounds import ELBO
from jaxgen.autoencoders.likelihoods import DiscretizedLogistic
from jaxgen.nets.conv_autoencoder import ConvDecoder, ConvEncoder
from jaxgen.optimizers import Adam, LinearDecay, Optimizer

STEPS = 6_000

EXPERIMENT = Experiment(
    model=hierarchical_vae.Config(
        image_shape=(32, 32, 3),
        value_range=(-1.0, 1.0),
        latent_dims=(128, 64, 32),
        encoder=ConvEncoder((32, 64, 128), negative_slope=0.1, norm="batch"),
        decoder=ConvDecoder((128, 64, 32), output_strides=2, negative_slope=0.1, norm="batch"),
        likelihood=DiscretizedLogistic(),
        objective=ELBO(warm_up=1_000),
        optimizer=Optimizer(2e-3, Adam(eps=1e-4), LinearDecay(STEPS), clip_norm=4.0),
    ),
    data="cifar10",
    steps=STEPS,
    batch_size=128,
    log_every=100,
    sample_every=2_000,
    checkpoint_every=2_000,
    pictures=("samples", "reconstructions"),
)
