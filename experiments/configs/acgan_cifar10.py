"""AC-GAN (the paper's networks, with dropout) on CIFAR-10: for a GPU.

python -m experiments.train acgan_cifar10 --data-dir DIR
"""

from experiments.runs.experiment import Experiment
from jaxgen.gans import acgan

EXPERIMENT = Experiment(
    model=acgan.Config(),
    data="cifar10",
    steps=50_000,
    batch_size=100,
    num_samples=100,
)
