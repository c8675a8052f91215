"""WGAN-GP (the authors' ResNets for 64x64, a sixteenth as wide) on 64x64 faces of CelebA: 2,400 pictures.

python -m experiments.train wgan_gp_resnet_celeba --data-dir DIR

Meant for 30 to 40 minutes on two cores; `wgan_gp_resnet_tiny_imagenet` has the authors' width.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.gans import wgan_gp
from jaxgen.moving_averages import Exponential
from jaxgen.nets.resnet import FlatResNetCritic, ResNetGenerator
from jaxgen.optimizers import Adam, Optimizer

EXPERIMENT = Experiment(
    model=wgan_gp.Config(
        image_shape=(64, 64, 3),
        generator=ResNetGenerator((32, 32, 32, 16, 8), inner_bias=False),
        critic=FlatResNetCritic((8, 16, 32, 32, 32)),
        generator_optimizer=Optimizer(2e-4, Adam(b1=0.0, b2=0.9)),
        critic_optimizer=Optimizer(2e-4, Adam(b1=0.0, b2=0.9)),
        average=Exponential(0.999),
    ),
    data="celeba_subset",
    images=ImageOptions(size=64, flip=True),
    batch_size=32,
    steps=4_000,
    log_every=100,
    sample_every=500,
    checkpoint_every=500,
)
