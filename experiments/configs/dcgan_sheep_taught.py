"""DCGAN (the networks of the course FIDLE, its sheep1) on drawings of sheep: for a GPU.

python -m experiments.train dcgan_sheep_taught --data-dir DIR

--data npz:FILE takes drawings of your own. The course adds noise in [0, 0.05) to all labels; smoothing the real
label by its mean stands for that, since noise on the label of fakes draws the generator to where no data are.
779,969 and 396,609 parameters; `dcgan_sheep` has a quarter of the channels.
"""

from experiments.experiment import Experiment
from jaxgen.gans import gan
from jaxgen.gans.objectives import NonSaturating
from jaxgen.gans.priors import Normal
from jaxgen.nets.courses.fidle import FidleDiscriminator, FidleGenerator
from jaxgen.optimizers import Adam

EXPERIMENT = Experiment(
    model=gan.Config(
        prior=Normal(128),
        objective=NonSaturating(smoothing=0.025),
        generator=FidleGenerator(),
        discriminator=FidleDiscriminator(),
        generator_optimizer=Adam(1e-4),
        discriminator_optimizer=Adam(1e-4),
    ),
    data="quickdraw:sheep",
    batch_size=32,
    steps=40_000,
)
