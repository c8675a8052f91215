"""pix2pix as published, from label maps to photographs of facades, 256x256: for a GPU.

python -m experiments.train pix2pix_facades_published --data pairs:facades

The paper's 400 pairs for 200 epochs, one pair an update; pictures of 286x286, of which a window of 256x256 is taken.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.translation import pix2pix

EXPERIMENT = Experiment(
    model=pix2pix.Config(),
    data="pairs:facades",
    images=ImageOptions(size=256, swap=True, crop="random", flip=True, label_maps="inputs"),
    steps=80_000,
    batch_size=1,
    steps_per_call=50,
    log_every=500,
    sample_every=10_000,
    checkpoint_every=5_000,
    num_samples=24,
)
