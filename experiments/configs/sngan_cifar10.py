"""SNGAN (the paper's ResNets, narrower, one discriminator step) on CIFAR-10, prepared by tensorflow-datasets.

python -m experiments.train sngan_cifar10 --data-dir DIR

For a processor; `sngan_cifar10_published` and `sngan_resnet_cifar10` have the paper's networks.

At step 2,000 (seed 0, 13 minutes on one core of an AMD EPYC beside other work, 2 to 4 updates a second), 2,000 samples:
Frechet distance 8.0 [7.5, 8.5] in 64 principal components, of held-out images 0.9; precision 0.69 and recall 0.35, of
held-out images 0.64 and 0.64. Skies, lawns and outlines of ships and animals; `wgan_gp_cifar10` is nearer by these
numbers (1.9). The paper's convolutional networks, a quarter as wide, drew coloured blobs after 1,500 updates: their
discriminator, without shortcuts, hardly told examples apart (a loss of 1.8 of 2).
"""

from experiments.runs.experiment import Experiment
from jaxgen.gans import gan
from jaxgen.gans.discrimination import Discrimination
from jaxgen.gans.objectives import Hinge
from jaxgen.moving_averages import Exponential
from jaxgen.nets.resnet import ResNetCritic, ResNetGenerator
from jaxgen.nets.spectral import Spectral
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal

EXPERIMENT = Experiment(
    model=gan.Config(
        image_shape=(32, 32, 3),
        value_range=(-1.0, 1.0),
        prior=Normal(128),
        objective=Hinge(),
        generator=ResNetGenerator((32, 32, 32, 32)),
        discriminator=Spectral(ResNetCritic(32, pool="sum", last_bias=False)),
        discrimination=Discrimination(joint=True),  # one step of the power method for both kinds
        generator_optimizer=Optimizer(5e-4, Adam(b1=0.0, b2=0.9)),
        discriminator_optimizer=Optimizer(1e-3, Adam(b1=0.0, b2=0.9)),
        average=Exponential(0.999),
    ),
    data="cifar10",
    steps=2_000,
    log_every=100,
    sample_every=500,
    checkpoint_every=500,
)
