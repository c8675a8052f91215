"""GAN (MLP, non-saturating) on eight Gaussians on a circle.

python -m experiments.train gan_ring8

Noise on what the discriminator sees, falling to nothing at 12,000 updates, leads the generator to every mode. At 20,000
updates, seed 0, 10,000 samples: 8 of 8 modes with 667 to 1,517 samples each, 97.2 % of all within three deviations of a
mode; 89 s on one core of an Intel Xeon. With --model.discriminator.std 0 two modes have 93 % of the samples.
"""

from experiments.runs.experiment import Experiment
from jaxgen.gans import gan
from jaxgen.nets.instance_noise import InstanceNoise
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, LinearDecay, Optimizer
from jaxgen.priors import Normal

EXPERIMENT = Experiment(
    model=gan.Config(
        image_shape=(2,),
        value_range=None,
        prior=Normal(8),
        generator=MLP((128, 128, 128)),
        discriminator=InstanceNoise(MLP((128, 128, 128), negative_slope=0.2), std=0.3, end=12_000),
        generator_optimizer=Optimizer(1e-3, Adam(b1=0.5), schedule=LinearDecay(20_000)),
        discriminator_optimizer=Optimizer(1e-3, Adam(b1=0.5), schedule=LinearDecay(20_000)),
    ),
    data="ring8",
    batch_size=256,
    steps=20_000,
    steps_per_call=50,
    log_every=500,
    sample_every=2_000,
    checkpoint_every=2_000,
    num_samples=1_000,
    pictures=("samples", "level_sets"),
)
