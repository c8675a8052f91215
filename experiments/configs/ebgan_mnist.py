"""EBGAN with the pulling-away term (small convolutional networks) on MNIST, prepared by tensorflow-datasets.

python -m experiments.train ebgan_mnist --data-dir DIR

The paper's margin and rate for MNIST, where it trains MLPs; --model.pull-away-weight 0 leaves the term out.

Meant for about ten minutes on two cores.
"""

from experiments.runs.experiment import Experiment
from jaxgen.gans import ebgan
from jaxgen.moving_averages import Exponential
from jaxgen.nets.conv import ConvGenerator
from jaxgen.nets.conv_autoencoder import ConvDecoder, ConvEncoder
from jaxgen.optimizers import Adam, Optimizer

EXPERIMENT = Experiment(
    model=ebgan.Config(
        code_dim=32,
        generator=ConvGenerator(channels=16),
        encoder=ConvEncoder((16, 32), negative_slope=0.2),
        decoder=ConvDecoder((32, 32, 16), linear_map=True),
        margin=10.0,
        pull_away_weight=0.1,
        generator_optimizer=Optimizer(1e-3, Adam()),
        discriminator_optimizer=Optimizer(1e-3, Adam()),
        average=Exponential(0.99),
    ),
    data="mnist",
    steps=5_000,
    log_every=50,
    sample_every=500,
    checkpoint_every=500,
)
