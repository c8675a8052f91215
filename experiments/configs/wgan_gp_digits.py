"""WGAN-GP (MLP) on scikit-learn's 8x8 handwritten digits.

python -m experiments.train wgan_gp_digits
"""

from experiments.runs.experiment import Experiment
from jaxgen.gans import wgan_gp
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, Optimizer

EXPERIMENT = Experiment(
    model=wgan_gp.Config(
        image_shape=(8, 8, 1),
        latent_dim=32,
        generator=MLP((256, 256, 256)),
        critic=MLP((256, 256, 256), negative_slope=0.2),
        generator_optimizer=Optimizer(1e-3, Adam(b1=0.0, b2=0.9)),
        critic_optimizer=Optimizer(1e-3, Adam(b1=0.0, b2=0.9)),
    ),
    data="digits",
    steps=12_000,
    steps_per_call=20,
)
