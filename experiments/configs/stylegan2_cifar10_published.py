"""StyleGAN 2 with adaptive augmentation as published on CIFAR-10, without classes: for a GPU.

python -m experiments.train stylegan2_cifar10_published --data-dir DIR

19,947,539 and 20,720,641 parameters. 100 million images are 1,562,500 updates of 64; the authors report a Frechet
inception distance of 5.33, and of 8.32 without augmentation (`--model.augmentation no-augmentation`).
"""

from experiments.runs.experiment import Experiment
from jaxgen.gans import stylegan2
from jaxgen.gans.ada import Adaptive
from jaxgen.gans.lazy_regularization import lazy
from jaxgen.gans.regularization import Slope
from jaxgen.gans.stylegan2 import PathLength
from jaxgen.moving_averages import HalfLife
from jaxgen.nets.mapping import Mapping
from jaxgen.nets.stylegan2 import StyleGAN2Discriminator
from jaxgen.optimizers import Adam, Optimizer

ADAM = Optimizer(0.0025, Adam(b1=0.0, b2=0.99))

EXPERIMENT = Experiment(
    model=stylegan2.Config(
        image_shape=(32, 32, 3),
        mapping=Mapping(2, scaled_activation=True),
        discriminator=StyleGAN2Discriminator(residual=False, group=32),
        mixing=0.0,
        r1=Slope(0.01, every=16),
        path_length=PathLength(weight=0.0),
        augmentation=Adaptive(),
        generator_optimizer=ADAM,
        discriminator_optimizer=lazy(ADAM, 16),
        average=HalfLife(500_000 / 64),
    ),
    data="cifar10",
    batch_size=64,
    steps=1_562_500,
    log_every=500,
    sample_every=10_000,
    checkpoint_every=10_000,
    num_samples=100,
)
