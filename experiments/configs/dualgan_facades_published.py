"""DualGAN as in the authors' code, between label maps and photographs of facades, 256x256, unpaired: for a GPU.

python -m experiments.train dualgan_facades_published --data unpaired:facades

The folder `facades` has the folders `trainA` of label maps and `trainB` of photographs.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.translation import dualgan

EXPERIMENT = Experiment(
    model=dualgan.Config(),
    data="unpaired:facades",
    images=ImageOptions(size=256),
    steps=20_000,
    batch_size=1,
    steps_per_call=50,
    log_every=200,
    sample_every=2_000,
    checkpoint_every=2_000,
    num_samples=24,
)
