"""WGAN (Algorithm 1, with small convolutional networks) on the bicycles of CIFAR-100.

python -m experiments.train wgan_bicycle --data-dir DIR

What `wgan_forest` is meant to be: five critic steps for each of the generator, trained weights alone are clipped,
nothing is dropped. The critic has batch normalisation, as in the paper.

At step 6,000 (seed 0, stopped at 3,000 and resumed, 19 minutes on one shared core of an Intel Xeon, 5.5 updates a
second): of 100 samples the Frechet distance is 16.2 [14.4, 18.1] in 64 principal components, of the 100 held-out
bicycles 13.7 [10.4, 16.9]; precision is 0.87 and recall 0.52, of held-out ones 0.73 and 0.69. By eye, about every
fourth picture has two wheels and a frame, before the colours of a wall or a lawn. At 500 updates there were textures
alone, at 3,000 struts. Lanham's networks, a quarter and half as wide, drew textures after 2,500 updates without batch
norm in the critic, and after 1,250 with it; a clip of 0.05 drew checkerboards.
"""

from experiments.runs.experiment import Experiment
from jaxgen.gans import wgan
from jaxgen.moving_averages import Exponential
from jaxgen.nets.conv import ConvCritic, ConvGenerator
from jaxgen.optimizers import Optimizer, RMSProp

EXPERIMENT = Experiment(
    model=wgan.Config(
        image_shape=(32, 32, 3),
        generator=ConvGenerator(channels=16, norm="batch"),
        critic=ConvCritic(channels=16, norm="batch"),
        generator_optimizer=Optimizer(5e-4, RMSProp()),
        critic_optimizer=Optimizer(5e-4, RMSProp()),
        average=Exponential(0.99),
    ),
    data="cifar100:bicycle",
    batch_size=32,
    steps=6_000,
    log_every=100,
    sample_every=500,
    checkpoint_every=500,
)
