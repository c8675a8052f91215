"""DCGAN (the networks of the course FIDLE, its sheep1, a quarter as wide) on drawings of sheep.

python -m experiments.train dcgan_sheep --data-dir DIR

--data npz:FILE takes drawings of your own. Corrections of the course: docs/courses.md.
For a processor; `dcgan_sheep_taught` has the course's width and optimiser.

Measured at step 5,000 on 7,400 drawings of sheep (seed 0, 4 minutes on one shared core of an Intel Xeon, 25 updates a
second): of 300 samples the Frechet distance is 3.1 in 64 principal components, of 300 held-out drawings 1.9; precision
is 0.82 and recall 0.77, of held-out drawings 0.89 and 0.86.
"""

from experiments.runs.experiment import Experiment
from jaxgen.gans import gan
from jaxgen.gans.objectives import NonSaturating
from jaxgen.moving_averages import Exponential
from jaxgen.nets.courses.fidle import FidleDiscriminator, FidleGenerator
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal

EXPERIMENT = Experiment(
    model=gan.Config(
        prior=Normal(128),
        objective=NonSaturating(smoothing=0.025),
        generator=FidleGenerator(channels=16),
        discriminator=FidleDiscriminator(channels=16),
        generator_optimizer=Optimizer(3e-4, Adam(b1=0.5)),
        discriminator_optimizer=Optimizer(3e-4, Adam(b1=0.5)),
        average=Exponential(0.999),
    ),
    data="quickdraw:sheep",
    batch_size=32,
    steps=5_000,
    sample_every=500,
    checkpoint_every=500,
)
