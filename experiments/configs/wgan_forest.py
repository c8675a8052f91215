"""WGAN as the courses teach it (Lanham 2019) on the forests of CIFAR-100.

python -m experiments.train wgan_forest --data-dir DIR

Networks and settings of the book: batch normalisation and dropout in the critic, and one critic step for each of the
generator, as its code is indented. Not its two errors: the code also clips the statistics of batch normalisation, and
draws the critic's fakes with other statistics than the generator trains with. `wgan_bicycle` is Algorithm 1.
"""

from experiments.runs.experiment import Experiment
from jaxgen.gans import wgan
from jaxgen.nets.courses.lanham import LanhamCritic, LanhamGenerator

EXPERIMENT = Experiment(
    model=wgan.Config(
        image_shape=(32, 32, 3),
        generator=LanhamGenerator(),
        critic=LanhamCritic(),
        critic_steps=1,
    ),
    data="cifar100:forest",
    batch_size=128,
    steps=10_000,
)
