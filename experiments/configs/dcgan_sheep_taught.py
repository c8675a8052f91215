"""DCGAN (the networks of the course FIDLE, its sheep1) on drawings of sheep: for a GPU.

python -m experiments.train dcgan_sheep_taught --data-dir DIR

--data npz:FILE takes drawings of your own. Corrections of the course: docs/courses.md.
779,969 and 396,609 parameters; `dcgan_sheep` has a quarter of the channels.
"""

from experiments.runs.experiment import Experiment
from jaxgen.gans import gan
from jaxgen.gans.objectives import NonSaturating
from jaxgen.nets.courses.fidle import FidleDiscriminator, FidleGenerator
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal

EXPERIMENT = Experiment(
    model=gan.Config(
        prior=Normal(128),
        objective=NonSaturating(smoothing=0.025),
        generator=FidleGenerator(),
        discriminator=FidleDiscriminator(),
        generator_optimizer=Optimizer(1e-4, Adam()),
        discriminator_optimizer=Optimizer(1e-4, Adam()),
    ),
    data="quickdraw:sheep",
    batch_size=32,
    steps=40_000,
)
