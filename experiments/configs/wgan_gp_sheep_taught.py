"""WGAN-GP (the networks of the course FIDLE, its sheep2) on drawings of sheep: for a GPU.

python -m experiments.train wgan_gp_sheep_taught --data-dir DIR

--data npz:FILE takes drawings of your own. Corrections of the course: docs/courses.md.
779,969 and 396,609 parameters; `wgan_gp_sheep` has a quarter of the channels.
"""

from experiments.runs.experiment import Experiment
from jaxgen.gans import wgan_gp
from jaxgen.nets.courses.fidle import FidleDiscriminator, FidleGenerator
from jaxgen.optimizers import Adam, Optimizer

EXPERIMENT = Experiment(
    model=wgan_gp.Config(
        value_range=(0.0, 1.0),
        latent_dim=128,
        generator=FidleGenerator(),
        critic=FidleDiscriminator(dropout=0.0),
        critic_steps=2,
        generator_optimizer=Optimizer(2e-4, Adam(b1=0.5, b2=0.9)),
        critic_optimizer=Optimizer(2e-4, Adam(b1=0.5, b2=0.9)),
    ),
    data="quickdraw:sheep",
    steps=20_000,
)
