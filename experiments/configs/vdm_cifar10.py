"""Variational diffusion model (the authors' network) on CIFAR-10, prepared by tensorflow-datasets: for a GPU.

python -m experiments.train vdm_cifar10 --data-dir DIR

The authors train for ten million updates, and reach a bound of 2.65 bits for each number.
"""

from experiments.runs.experiment import Experiment
from jaxgen.diffusion import vdm

EXPERIMENT = Experiment(
    model=vdm.Config(),
    data="cifar10",
    batch_size=128,
    steps=10_000_000,
    log_every=100,
    sample_every=10_000,
    checkpoint_every=10_000,
    num_samples=64,
    pictures=("samples",),
)
