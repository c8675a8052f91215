"""StyleGAN as published for FFHQ at 1024x1024, the authors' settings for eight GPUs.

python -m experiments.train stylegan_ffhq_published --data folder:PATH    # 1024x1024 photos, or larger ones

The authors report a Frechet inception distance of 4.42, of samples that are not truncated.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.gans import stylegan

EXPERIMENT = Experiment(
    model=stylegan.Config(),
    data="folder:ffhq",
    images=ImageOptions(size=1024, flip=True),
    batch_size=32,
    steps=stylegan.GROWTH.updates(1024, 25_000_000),
    steps_per_call=1,
    log_every=500,
    sample_every=10_000,
    checkpoint_every=5_000,
    num_samples=16,
)
