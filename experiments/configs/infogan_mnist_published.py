"""InfoGAN as published on MNIST: for a GPU.

python -m experiments.train infogan_mnist_published --data-dir DIR
"""

from experiments.runs.experiment import Experiment
from jaxgen.gans import infogan

EXPERIMENT = Experiment(
    model=infogan.Config(),
    data="mnist",
    steps=5_000,  # 50 times 100 updates
    batch_size=128,
    num_samples=100,
)
