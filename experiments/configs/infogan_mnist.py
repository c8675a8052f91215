"""InfoGAN (the paper's networks, a quarter as wide) on MNIST: one categorical code a column.

python -m experiments.train infogan_mnist --data-dir DIR
python -m experiments.latents runs/infogan_mnist traverse --images sample:3 --axes 0 1 --range -2 2
"""

from experiments.experiment import Experiment
from jaxgen.gans import infogan
from jaxgen.nets.infogan import InfoGANDiscriminator, InfoGANGenerator
from jaxgen.nets.initializers import LeCunNormal

EXPERIMENT = Experiment(
    model=infogan.Config(
        generator=InfoGANGenerator(features=256, channels=32),
        # Narrow networks whose batch norm enlarges what is faint hide codes in images that are all alike.
        discriminator=InfoGANDiscriminator(channels=32, features=256, norm="none", initializer=LeCunNormal()),
        ema_decay=0.999,
    ),
    data="mnist",
    steps=5_000,
    sample_every=500,
    checkpoint_every=500,
    num_samples=100,
)
