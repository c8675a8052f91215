"""ClusterGAN (the authors' networks, a quarter as wide) on MNIST: ten clusters, found without labels.

python -m experiments.train clustergan_mnist --data-dir DIR
python -m experiments.evaluate runs/clustergan_mnist

The second command also measures accuracy, mutual information and Rand index of the clusters of held-out digits.

Meant for about half an hour on two cores.
"""

from experiments.runs.experiment import Experiment
from jaxgen.gans import clustergan
from jaxgen.moving_averages import Exponential
from jaxgen.nets.clustergan import ClusterGANEncoder, ClusterGANGenerator
from jaxgen.nets.initializers import LeCunNormal
from jaxgen.optimizers import Adam, Optimizer

ADAM = Optimizer(5e-4, Adam(b1=0.5, b2=0.9))
NETWORK = ClusterGANEncoder(16, 256, initializer=LeCunNormal())  # narrower layers need larger weights

EXPERIMENT = Experiment(
    model=clustergan.Config(
        generator=ClusterGANGenerator(256, 16),
        encoder=NETWORK,
        critic=NETWORK,
        generator_optimizer=ADAM,
        encoder_optimizer=ADAM,
        critic_optimizer=ADAM,
        average=Exponential(0.999),
    ),
    data="mnist",
    steps=6_000,
    log_every=50,
    sample_every=500,
    checkpoint_every=500,
    pictures=("samples", "reconstructions", "codes"),
    num_samples=100,
)
