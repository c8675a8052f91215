"""CoGAN (the authors' networks, a quarter as wide) of MNIST and the same digits inverted, never seen in pairs.

python -m experiments.train cogan_mnist --data-dir DIR
python -m experiments.evaluate runs/cogan_mnist

The second command also measures the share of pairs of one class. `--data unpaired:mnist,edges:mnist` has the edges of
digits as the second domain, as the paper.

Meant for about half an hour on two cores.
"""

from experiments.runs.experiment import Experiment
from jaxgen.gans import cogan
from jaxgen.moving_averages import Exponential
from jaxgen.nets.cogan import CoGANGenerator

EXPERIMENT = Experiment(
    model=cogan.Config(shared_generator=CoGANGenerator(256), average=Exponential(0.999)),
    data="unpaired:mnist,inverted:mnist",
    steps=5_000,
    log_every=100,
    sample_every=500,
    checkpoint_every=500,
)
