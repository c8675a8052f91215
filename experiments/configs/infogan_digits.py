"""InfoGAN (perceptrons, seen through noise) on scikit-learn's 8x8 handwritten digits: one categorical code a column.

python -m experiments.train infogan_digits
"""

from experiments.runs.experiment import Experiment
from jaxgen.gans import infogan
from jaxgen.moving_averages import Exponential
from jaxgen.nets.instance_noise import InstanceNoise
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Uniform

EXPERIMENT = Experiment(
    model=infogan.Config(
        image_shape=(8, 8, 1),
        noise=Uniform(20),
        generator=MLP((256, 256), norm="batch"),
        discriminator=InstanceNoise(MLP((256, 256), negative_slope=0.2), std=0.15),
        categorical_weight=0.5,
        continuous_weight=0.5,
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
