"""Conditional GAN (perceptrons, seen through noise) on scikit-learn's 8x8 handwritten digits: one class a column.

python -m experiments.train cgan_digits
"""

from experiments.runs.experiment import Experiment
from jaxgen.gans import cgan
from jaxgen.moving_averages import Exponential
from jaxgen.nets.conditioning import ConcatCondition
from jaxgen.nets.instance_noise import InstanceNoise
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal

EXPERIMENT = Experiment(
    model=cgan.Config(
        image_shape=(8, 8, 1),
        prior=Normal(32),
        generator=ConcatCondition(MLP((256, 256), norm="batch")),
        discriminator=InstanceNoise(ConcatCondition(MLP((256, 256), negative_slope=0.2)), std=0.15),
        generator_optimizer=Optimizer(5e-4, Adam(b1=0.5)),
        discriminator_optimizer=Optimizer(5e-4, Adam(b1=0.5)),
        average=Exponential(0.999),
    ),
    data="digits",
    steps=8_000,
    steps_per_call=20,
    sample_every=4_000,
    checkpoint_every=4_000,
    num_samples=100,
)
