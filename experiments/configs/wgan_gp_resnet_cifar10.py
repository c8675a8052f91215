"""WGAN-GP (ResNets, as published but for the generator's batch, 64 in place of 128) on CIFAR-10: for a GPU.

python -m experiments.train wgan_gp_resnet_cifar10 --data-dir DIR
"""

from experiments.runs.experiment import Experiment
from jaxgen.gans import wgan_gp
from jaxgen.moving_averages import NoAverage
from jaxgen.nets.resnet import ResNetCritic, ResNetGenerator
from jaxgen.optimizers import Adam, LinearDecay, Optimizer

EXPERIMENT = Experiment(
    model=wgan_gp.Config(
        image_shape=(32, 32, 3),
        generator=ResNetGenerator(),
        critic=ResNetCritic(),
        generator_optimizer=Optimizer(2e-4, Adam(b1=0.0, b2=0.9), schedule=LinearDecay(100_000)),
        critic_optimizer=Optimizer(2e-4, Adam(b1=0.0, b2=0.9), schedule=LinearDecay(500_000)),
        average=NoAverage(),
    ),
    data="cifar10",
    steps=100_000,
    batch_size=64,
)
