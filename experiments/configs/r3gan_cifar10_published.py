"""R3GAN as published on CIFAR-10, with classes and without its augmentation: for a GPU.

python -m experiments.train r3gan_cifar10_published --data-dir DIR

The schedules end at 39,062 updates of 512 images, the paper's 20 million; the run goes on as long again. With
augmentation the authors report a Frechet inception distance of 1.96.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.gans import r3gan

EXPERIMENT = Experiment(
    model=r3gan.Config(),
    data="cifar10",
    images=ImageOptions(flip=True),
    batch_size=512,
    steps=78_124,
    log_every=500,
    sample_every=5_000,
    checkpoint_every=5_000,
    num_samples=100,
)
