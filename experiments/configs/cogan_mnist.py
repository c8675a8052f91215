"""CoGAN (the authors' networks, a quarter as wide) of MNIST and the same digits inverted, never seen in pairs.

python -m experiments.train cogan_mnist --data-dir DIR
python -m experiments.evaluate runs/cogan_mnist

The second command also measures the share of pairs of one class. `--data unpaired:mnist,edges:mnist` has the edges of
digits as the second domain, as the paper.

At step 5,000 (seed 0, 62 minutes on one core of an Intel Xeon, beside other work), 1,000 pairs: 92.8 % [91.2, 94.3] are
of one class (chance 11.0; a digit beside itself inverted 99.4). Of the first domain's digits a classifier that is right
on 99.1 % of held-out ones recognises (p >= 0.9) 73.6 % [70.8, 76.3]; Frechet distance 13.8 [10.5, 17.1] (held out 3.9).
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
