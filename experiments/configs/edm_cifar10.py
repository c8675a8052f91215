"""EDM as published on CIFAR-10, with classes and without its augmentation: for a GPU.

python -m experiments.train edm_cifar10 --data-dir DIR

The paper's 200 million images (390,625 updates of 512), with augmentation, gave a Frechet inception distance of 1.79
from 18 steps of Heun's method. A batch that does not fit into memory is accumulated:
`--batch-size 64 --model.optimizer.accumulate 8 --steps 3125000`. On a processor
it was only started: 4 updates of 2 times 4 images, and an image, in four and a half minutes of one core with compiling.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.diffusion import edm

EXPERIMENT = Experiment(
    model=edm.Config(num_classes=10, class_dropout=0.0),
    data="cifar10",
    images=ImageOptions(flip=True),
    batch_size=512,
    steps=390_625,
    log_every=1_000,
    sample_every=20_000,
    checkpoint_every=10_000,
)
