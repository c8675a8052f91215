"""Unrolled GAN (MLP, K = 10) on eight Gaussians on a circle.

python -m experiments.train unrolled_ring8

--model.unrolled-steps 0 is the same game without foresight, which collapses.
"""

from experiments.experiment import Experiment
from jaxgen.gans import unrolled_gan
from jaxgen.nets.initializers import Orthogonal
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam

EXPERIMENT = Experiment(
    model=unrolled_gan.Config(
        generator=MLP((128, 128), initializer=Orthogonal(0.8)),
        discriminator=MLP((128,), initializer=Orthogonal(0.8)),
        unrolled_steps=10,
        generator_optimizer=Adam(1e-3, b1=0.5),
        discriminator_optimizer=Adam(1e-4, b1=0.5, eps_root=1e-8),
    ),
    data="ring8",
    batch_size=512,
    steps=25_000,
    steps_per_call=50,
    log_every=500,
    sample_every=2_500,
    checkpoint_every=2_500,
    num_samples=1_000,
    pictures=("samples", "level_sets"),
)
