"""Boundary-seeking GAN of black and white pixels (the authors' networks, a quarter as wide) on MNIST.

python -m experiments.train bgan_binary_mnist --data-dir DIR

Meant for about half an hour on one core.
"""

from experiments.runs.experiment import Experiment
from jaxgen.gans import bgan
from jaxgen.moving_averages import Exponential
from jaxgen.nets.bgan import BGANDiscriminator, BGANGenerator
from jaxgen.optimizers import Adam, Optimizer

ADAM = Optimizer(3e-4, Adam(b1=0.5))

EXPERIMENT = Experiment(
    model=bgan.Config(
        generator=BGANGenerator(256, 16),
        discriminator=BGANDiscriminator(16, 256),
        generator_optimizer=ADAM,
        discriminator_optimizer=ADAM,
        average=Exponential(0.999),
    ),
    data="mnist",
    batch_size=64,
    steps=10_000,
    log_every=100,
    sample_every=1_000,
    checkpoint_every=1_000,
)
