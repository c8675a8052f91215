"""WGAN-GP with an auxiliary classifier (ResNets, conditional batch norm, as published) on CIFAR-10: for a GPU.

python -m experiments.train ac_wgan_gp_resnet_cifar10 --data-dir DIR
"""

from experiments.runs.experiment import Experiment
from jaxgen.gans import ac_wgan_gp

EXPERIMENT = Experiment(
    model=ac_wgan_gp.Config(),
    data="cifar10",
    steps=100_000,
    batch_size=64,
    num_samples=100,
)
