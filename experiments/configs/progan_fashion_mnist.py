"""ProGAN (its networks, narrow) on Fashion-MNIST: from 7x7 over 14x14 to 28x28.

python -m experiments.train progan_fashion_mnist --data-dir DIR

At step 9,000 (seed 0, 30 minutes on one core of an AMD EPYC beside other work), 1,000 samples: Frechet distance 19.5
[17.4, 21.7] in the features of a classifier that is right on 90.2 % of held-out pictures (1.3 for held-out ones),
precision 0.65 (0.89), recall 0.62 (0.89); 37 % are recognised (70 %). Outlines are those of clothes and all kinds are
there; cloth is streaked, and dark garments have holes.
"""

from experiments.runs.experiment import Experiment
from jaxgen.gans import progan
from jaxgen.gans.growing import Growth
from jaxgen.moving_averages import HalfLife
from jaxgen.nets.progan import ProGANDiscriminator, ProGANGenerator
from jaxgen.priors import Normal

GROWTH = Growth(first=7, stabilise=32_000, fade=32_000, batch_sizes=(32, 32, 16))

EXPERIMENT = Experiment(
    model=progan.Config(
        image_shape=(28, 28, 1),
        prior=Normal(64),
        generator=ProGANGenerator(base=128, maximum=64, smallest=7),
        discriminator=ProGANDiscriminator(base=128, maximum=64, smallest=7),
        growth=GROWTH,
        average=HalfLife(half_life=300.0),
    ),
    data="fashion_mnist",
    batch_size=32,
    steps=9_000,
    log_every=50,
    sample_every=500,
    checkpoint_every=500,
    num_samples=100,
)
