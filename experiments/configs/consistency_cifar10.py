"""Improved consistency training as published on CIFAR-10, but for its Fourier features: for a GPU.

python -m experiments.train consistency_cifar10 --data-dir DIR
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.diffusion import consistency

EXPERIMENT = Experiment(
    model=consistency.Config(),
    data="cifar10",
    images=ImageOptions(flip=True),
    batch_size=1024,
    steps=400_000,
    steps_per_call=10,
    log_every=1_000,
    sample_every=10_000,
    checkpoint_every=10_000,
)
