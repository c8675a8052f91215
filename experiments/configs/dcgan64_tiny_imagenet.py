"""DCGAN (Radford's 64x64 networks) on a folder or set of colour photos.

python -m experiments.train dcgan64_tiny_imagenet --data folder:PATH --images.size 64

The published setting, 18,872,323 and 17,234,689 parameters: for a GPU. `dcgan64_lakeside` is for a processor.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.gans import gan
from jaxgen.nets.dcgan import DCGANDiscriminator, DCGANGenerator
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Uniform

EXPERIMENT = Experiment(
    model=gan.Config(
        image_shape=(64, 64, 3),
        value_range=(-1.0, 1.0),
        prior=Uniform(100),
        generator=DCGANGenerator(),
        discriminator=DCGANDiscriminator(),
        generator_optimizer=Optimizer(2e-4, Adam(b1=0.5)),
        discriminator_optimizer=Optimizer(2e-4, Adam(b1=0.5)),
    ),
    data="tiny_imagenet_subset",
    images=ImageOptions(size=64, flip=True),
    batch_size=128,
    steps=50_000,
)
