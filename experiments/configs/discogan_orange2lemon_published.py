"""DiscoGAN with the networks and minibatches of the authors' code, between oranges and lemons, 64x64: for a GPU.

python -m experiments.train discogan_orange2lemon_published --data-dir DIR
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.translation import discogan

EXPERIMENT = Experiment(
    model=discogan.Config(),
    data="orange2lemon",
    images=ImageOptions(flip=True),
    steps=10_000,
    batch_size=64,
    steps_per_call=50,
    log_every=100,
    sample_every=1_000,
    checkpoint_every=1_000,
    num_samples=24,
)
