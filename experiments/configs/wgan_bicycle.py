"""WGAN (Algorithm 1, with small convolutional networks) on the bicycles of CIFAR-100.

python -m experiments.train wgan_bicycle --data-dir DIR

What `wgan_forest` is meant to be: five critic steps for each of the generator, trained weights alone are clipped,
nothing is dropped. The critic has batch normalisation, as in the paper: without it narrow clipped layers give scores
near 0.
"""

from experiments.experiment import Experiment
from jaxgen.gans import wgan
from jaxgen.nets.conv import ConvCritic, ConvGenerator
from jaxgen.optimizers import RMSProp

EXPERIMENT = Experiment(
    model=wgan.Config(
        image_shape=(32, 32, 3),
        generator=ConvGenerator(channels=16, norm="batch"),
        critic=ConvCritic(channels=16, norm="batch"),
        generator_optimizer=RMSProp(5e-4),
        critic_optimizer=RMSProp(5e-4),
        ema_decay=0.99,
    ),
    data="cifar100:bicycle",
    batch_size=32,
    steps=6_000,
    log_every=100,
    sample_every=500,
    checkpoint_every=500,
)
