"""Score-based model (the paper's VP process and DDPM++) on CIFAR-10, prepared by tensorflow-datasets: for a GPU.

python -m experiments.train score_sde_cifar10 --data-dir DIR

--model.schedule sub-vp, or ve, takes another process; the authors train for 1.3 million updates.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.diffusion import score_sde

EXPERIMENT = Experiment(
    model=score_sde.Config(),
    data="cifar10",
    images=ImageOptions(flip=True),
    batch_size=128,
    steps=1_300_000,
    log_every=100,
    sample_every=10_000,
    checkpoint_every=10_000,
    num_samples=64,
    pictures=("samples", "trajectories"),
)
