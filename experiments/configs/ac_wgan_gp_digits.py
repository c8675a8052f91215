"""WGAN-GP with an auxiliary classifier (perceptrons) on scikit-learn's 8x8 handwritten digits: one class a column.

python -m experiments.train ac_wgan_gp_digits
"""

from experiments.runs.experiment import Experiment
from jaxgen.gans import ac_wgan_gp
from jaxgen.moving_averages import Exponential
from jaxgen.nets.conditioning import ConcatCondition
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal

EXPERIMENT = Experiment(
    model=ac_wgan_gp.Config(
        image_shape=(8, 8, 1),
        prior=Normal(32),
        generator=ConcatCondition(MLP((256, 256))),
        critic=MLP((256, 256), negative_slope=0.2),
        generator_batches=1,
        generator_optimizer=Optimizer(1e-3, Adam(b1=0.0, b2=0.9)),
        critic_optimizer=Optimizer(1e-3, Adam(b1=0.0, b2=0.9)),
        average=Exponential(0.999),
    ),
    data="digits",
    steps=4_000,
    steps_per_call=20,
    sample_every=2_000,
    checkpoint_every=2_000,
    num_samples=100,
)
