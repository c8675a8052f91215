"""Partial convolutions (five halvings, a quarter as wide) on photographs, 64x64, with irregular holes.

python -m experiments.train partial_conv_tiny_imagenet --data-dir DIR

For a processor. Features are those of a narrow VGG-16 with random weights: `--pretrained features=FILE` gives trained
ones. `partial_conv_celeba_hq_published` has the paper's network and size.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.nets.partial_convolution import PartialUNet
from jaxgen.nets.vgg16 import VGG16Maps
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.translation import partial_conv
from jaxgen.translation.masks import Strokes

EXPERIMENT = Experiment(
    model=partial_conv.Config(
        image_shape=(64, 64, 3),
        masks=Strokes(0.1, 0.4),
        generator=PartialUNet(channels=16, downs=5),
        features=VGG16Maps(channels=8),
        generator_optimizer=Optimizer(1e-3, Adam()),
    ),
    data="tiny_imagenet_subset",
    images=ImageOptions(flip=True),
    steps=8_000,
    batch_size=16,
    steps_per_call=25,
    log_every=100,
    sample_every=1_000,
    checkpoint_every=1_000,
    num_samples=48,
)
