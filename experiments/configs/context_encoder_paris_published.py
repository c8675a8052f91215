"""Context encoder as the authors' code has it, on photographs of streets, 128x128: for a GPU.

python -m experiments.train context_encoder_paris_published --data folder:paris_street_view

25 epochs of the paper's 14,900 photographs of Paris StreetView, which its authors give on request.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.translation import context_encoder

EXPERIMENT = Experiment(
    model=context_encoder.Config(),
    data="folder:paris_street_view",
    images=ImageOptions(size=128, crop="random", flip=True),
    steps=5_800,
    batch_size=64,
    steps_per_call=20,
    log_every=100,
    sample_every=1_000,
    checkpoint_every=1_000,
    num_samples=48,
)
