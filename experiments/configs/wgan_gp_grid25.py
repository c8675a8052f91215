"""WGAN-GP (the paper's MLP) on 25 Gaussians on a grid.

python -m experiments.train wgan_gp_grid25

At 20,000 updates, seed 0, 10,000 samples: 25 of 25 modes with 326 to 405 samples each, 92.5 % of all within three
deviations of a mode; 236 s on one core of an Intel Xeon.
"""

from experiments.runs.experiment import Experiment
from jaxgen.gans import wgan_gp
from jaxgen.moving_averages import Exponential
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, LinearDecay, Optimizer

EXPERIMENT = Experiment(
    model=wgan_gp.Config(
        image_shape=(2,),
        value_range=None,
        latent_dim=2,
        generator=MLP((128, 128, 128)),
        critic=MLP((128, 128, 128)),
        penalty_weight=0.1,
        generator_optimizer=Optimizer(1e-3, Adam(b1=0.5, b2=0.9), schedule=LinearDecay(20_000)),
        critic_optimizer=Optimizer(1e-3, Adam(b1=0.5, b2=0.9), schedule=LinearDecay(5 * 20_000)),
        average=Exponential(0.99),
    ),
    data="grid25",
    batch_size=256,
    steps=20_000,
    steps_per_call=50,
    log_every=500,
    sample_every=2_000,
    checkpoint_every=2_000,
    num_samples=1_000,
    pictures=("samples", "level_sets"),
)
