"""WGAN (Algorithm 1, with Lanham's networks) on the bicycles of CIFAR-100.

python -m experiments.train wgan_bicycle --data-dir DIR

The corrected form of `wgan_forest`: five critic steps for each of the generator, no batch normalisation and no dropout
in the critic, trained weights alone are clipped.
"""

from experiments.experiment import Experiment
from jaxgen.gans import wgan
from jaxgen.nets.courses import LanhamCritic, LanhamGenerator

EXPERIMENT = Experiment(
    model=wgan.Config(
        image_shape=(32, 32, 3),
        generator=LanhamGenerator(),
        critic=LanhamCritic(norm="none", dropout=0.0),
    ),
    data="cifar100:bicycle",
    steps=10_000,
)
