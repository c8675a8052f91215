"""Conditional GAN (the paper's perceptrons, with dropout) on MNIST.

python -m experiments.train cgan_mlp_mnist_published --data-dir DIR

Networks and batches are the paper's; its momentum, which rises from 0.5 to 0.7, stays at 0.5 here, and its rate
does not fall. `cgan_mlp_mnist` is made for a processor.
"""

from experiments.runs.experiment import Experiment
from jaxgen.gans import cgan

EXPERIMENT = Experiment(
    model=cgan.Config(),
    data="mnist",
    steps=50_000,
    batch_size=100,
    sample_every=1_000,
    checkpoint_every=1_000,
    num_samples=100,
)
