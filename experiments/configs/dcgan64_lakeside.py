"""DCGAN (Radford's 64x64 networks, an eighth as wide) on colour photos of lakesides, a class of Tiny ImageNet.

python -m experiments.train dcgan64_lakeside --data-dir DIR
python -m experiments.train dcgan64_lakeside --data folder:PATH --images.size 64    # your own photos

For a processor; `dcgan64_tiny_imagenet` has the paper's width.

At step 6,000 (seed 0, 57 minutes on one core of an AMD EPYC beside other work, 1.2 to 2.8 updates a second): of 50
samples the Frechet distance is 137 [92, 181] in 64 principal components, of the 50 held-out photos 118 [85, 150];
precision 0.90 and recall 0.64, of held-out ones 0.84 and 0.70; the nearest of the 500 training photos is a little
nearer to samples (20.1) than to held-out ones (22.9). By eye: lakes, shores with trees, skies; in about every eighth
picture coloured grains. At 500 updates there were blurred horizons.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.gans import gan
from jaxgen.moving_averages import Exponential
from jaxgen.nets.dcgan import DCGANDiscriminator, DCGANGenerator
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Uniform

EXPERIMENT = Experiment(
    model=gan.Config(
        image_shape=(64, 64, 3),
        value_range=(-1.0, 1.0),
        prior=Uniform(100),
        generator=DCGANGenerator(channels=16),
        discriminator=DCGANDiscriminator(channels=16),
        generator_optimizer=Optimizer(4e-4, Adam(b1=0.5)),
        discriminator_optimizer=Optimizer(4e-4, Adam(b1=0.5)),
        average=Exponential(0.999),
    ),
    data="tiny_imagenet_subset:lakeside",
    images=ImageOptions(size=64, flip=True),
    steps=6_000,
    log_every=100,
    sample_every=500,
    checkpoint_every=500,
)
