"""WGAN as the courses teach it (Lanham 2019) on the forests of CIFAR-100.

python -m experiments.train wgan_forest --data-dir DIR

Networks and settings of the book: batch normalisation and dropout in the critic, and one critic step for each of the
generator. `wgan_bicycle` is Algorithm 1. Corrections of the book's code: docs/courses.md.
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
