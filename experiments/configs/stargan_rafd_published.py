"""StarGAN as published, between the eight expressions of the Radboud Faces Database, 128x128: for a GPU.

python -m experiments.train stargan_rafd_published --data folder:PATH

PATH holds a folder of pictures for each expression. 200,000 steps of the discriminator, of 16 images each, and a fifth
as many of the generator; the rates fall to 0 over the second half.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.translation import stargan

EXPERIMENT = Experiment(
    model=stargan.Config(num_classes=8),
    data="folder:rafd",
    images=ImageOptions(size=128, flip=True),
    steps=40_000,
    batch_size=16,
    steps_per_call=20,
    log_every=200,
    sample_every=2_000,
    checkpoint_every=2_000,
    num_samples=36,
)
