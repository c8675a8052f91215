"""ClusterGAN (the authors' networks, a quarter as wide) on MNIST: ten clusters, found without labels.

python -m experiments.train clustergan_mnist --data-dir DIR
python -m experiments.evaluate runs/clustergan_mnist

The second command also measures accuracy, mutual information and Rand index of the clusters of held-out digits.

At step 6,000 (seeds 0 and 1, 38 and 16 minutes on one core of an Intel Xeon, beside other work) the clusters of 10,000
held-out digits are the classes for 69.1 and 59.9 % (k-means of pixels 55.1), mutual information .64 and .57 (.50), Rand
index .56 and .46 (.38): with seed 0 two clusters are ones, and one holds fours and nines. The paper chooses among five
runs. 1,000 samples: a classifier that is right on 99.1 % of held-out digits recognises (p >= 0.9) 92.1 and
88.4 % (of held-out digits 97.3), Frechet distance 4.1 and 5.6 (held out 3.9), precision and recall of seed 0 .82, .83.
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
