"""Unrolled GAN (MLP, K = 10) on eight Gaussians on a circle.

python -m experiments.train unrolled_ring8

At 15,000 updates, seed 0, 10,000 samples: 8 of 8 modes with 888 to 1,241 samples each, 82.2 % of all within three
deviations of a mode; 168 s on one core of an Intel Xeon. The same game without foresight, --model.unrolled-steps 0:
14.1 % of the samples near a mode, 1,078 of 1,414 at one of them, the others spread along the circle.
"""

from experiments.experiment import Experiment
from jaxgen.gans import unrolled_gan
from jaxgen.nets.initializers import Orthogonal
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, LinearDecay

EXPERIMENT = Experiment(
    model=unrolled_gan.Config(
        generator=MLP((128, 128), initializer=Orthogonal(0.8)),
        discriminator=MLP((64, 64), initializer=Orthogonal(1.4)),
        unrolled_steps=10,
        generator_optimizer=Adam(1e-3, b1=0.5, schedule=LinearDecay(15_000)),
        discriminator_optimizer=Adam(5e-4, b1=0.5, eps_root=1e-8),
    ),
    data="ring8",
    batch_size=256,
    steps=15_000,
    steps_per_call=50,
    log_every=500,
    sample_every=2_500,
    checkpoint_every=2_500,
    num_samples=1_000,
    pictures=("samples", "level_sets"),
)
