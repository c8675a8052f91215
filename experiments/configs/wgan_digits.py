"""WGAN (Algorithm 1, with perceptrons) on scikit-learn's 8x8 handwritten digits.

python -m experiments.train wgan_digits
"""

from experiments.runs.experiment import Experiment
from jaxgen.gans import wgan
from jaxgen.moving_averages import Exponential
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Optimizer, RMSProp
from jaxgen.priors import Normal

EXPERIMENT = Experiment(
    model=wgan.Config(
        image_shape=(8, 8, 1),
        prior=Normal(32),
        generator=MLP((256, 256, 256)),
        critic=MLP((256, 256, 256), negative_slope=0.2),
        clip=0.05,
        generator_optimizer=Optimizer(5e-4, RMSProp()),
        critic_optimizer=Optimizer(5e-4, RMSProp()),
        average=Exponential(0.999),
    ),
    data="digits",
    steps=6_000,
    steps_per_call=20,
    sample_every=3_000,
    checkpoint_every=3_000,
)
