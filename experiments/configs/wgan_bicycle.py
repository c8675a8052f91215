"""WGAN (Algorithm 1, with Lanham's networks, a quarter and half as wide) on the bicycles of CIFAR-100.

python -m experiments.train wgan_bicycle --data-dir DIR

The corrected form of `wgan_forest`: five critic steps for each of the generator, no batch normalisation and no dropout
in the critic, trained weights alone are clipped. For a processor:
--model.generator.channels 64 --model.critic.channels 16 have the width of the book.
"""

from experiments.experiment import Experiment
from jaxgen.gans import wgan
from jaxgen.nets.courses import LanhamCritic, LanhamGenerator
from jaxgen.optimizers import RMSProp

EXPERIMENT = Experiment(
    model=wgan.Config(
        image_shape=(32, 32, 3),
        generator=LanhamGenerator(channels=16),
        critic=LanhamCritic(channels=8, norm="none", dropout=0.0),
        generator_optimizer=RMSProp(2e-4),
        critic_optimizer=RMSProp(2e-4),
        ema_decay=0.99,
    ),
    data="cifar100:bicycle",
    steps=4_000,
    log_every=100,
    sample_every=500,
    checkpoint_every=500,
)
