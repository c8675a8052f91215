"""WGAN-GP (the authors' ResNets for 64x64) on a folder or set of colour photos: for a GPU.

python -m experiments.train wgan_gp_resnet_tiny_imagenet --data folder:PATH --images.size 64

8,540,483 and 7,491,841 parameters, layer normalisation in the critic, the paper's optimiser.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.gans import wgan_gp
from jaxgen.moving_averages import NoAverage
from jaxgen.nets.resnet import GOOD_CHANNELS, FlatResNetCritic, ResNetGenerator
from jaxgen.optimizers import Adam, Optimizer

EXPERIMENT = Experiment(
    model=wgan_gp.Config(
        image_shape=(64, 64, 3),
        generator=ResNetGenerator(GOOD_CHANNELS, inner_bias=False),
        critic=FlatResNetCritic(),
        generator_optimizer=Optimizer(1e-4, Adam(b1=0.0, b2=0.9)),
        critic_optimizer=Optimizer(1e-4, Adam(b1=0.0, b2=0.9)),
        average=NoAverage(),
    ),
    data="tiny_imagenet_subset",
    images=ImageOptions(size=64),
    steps=200_000,
    batch_size=64,
)
