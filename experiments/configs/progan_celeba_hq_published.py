"""ProGAN as published for CelebA-HQ at 1024x1024, the authors' settings for eight GPUs.

python -m experiments.train progan_celeba_hq_published --data-dir DIR
python -m experiments.train progan_celeba_hq_published --data folder:PATH    # photos of your own

The authors report a Frechet inception distance of 7.30.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.gans import progan
from jaxgen.gans.growing import Growth

GROWTH = Growth(
    stabilise=600_000,
    fade=600_000,
    batch_sizes=(512, 256, 128, 64, 32),
    rates=(1.0, 1.0, 1.0, 1.0, 1.0, 1.5, 2.0, 3.0),
)

EXPERIMENT = Experiment(
    model=progan.Config(growth=GROWTH),
    data="celeb_a_hq/1024",
    images=ImageOptions(size=1024, flip=True),
    batch_size=32,
    steps=GROWTH.updates(1024, 12_000_000),
    steps_per_call=1,
    log_every=500,
    sample_every=5_000,
    checkpoint_every=5_000,
    num_samples=16,
)
