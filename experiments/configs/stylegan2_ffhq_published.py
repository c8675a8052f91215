"""StyleGAN 2 as published on FFHQ at 1024x1024 (configuration F): for several GPUs.

python -m experiments.train stylegan2_ffhq_published --data folder:PATH

30,370,060 and 29,012,513 parameters. 25 million images are 781,250 updates of 32; the authors report a Frechet
inception distance of 2.84.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.gans import stylegan2

EXPERIMENT = Experiment(
    model=stylegan2.Config(),
    data="folder:ffhq",
    images=ImageOptions(size=1024, flip=True),
    batch_size=32,
    steps=781_250,
    log_every=500,
    sample_every=10_000,
    checkpoint_every=10_000,
    num_samples=16,
)
