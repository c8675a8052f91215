"""WGAN-GP (the paper's MLP) on a Swiss roll.

python -m experiments.train wgan_gp_swiss_roll

At 10,000 updates, seed 0, 5,000 samples by `python -m experiments.evaluate` (in brackets 5,000 held-out points):
precision 0.974 (0.971), recall 0.620 (0.971), told apart by the nearest neighbour 0.689 (0.492; 1/2 is not at all). The
samples lie along the whole roll, on a thinner line than its noise makes, and a few on the shortest ways between its
turns; 100 s on one core of an Intel Xeon, beside other work.
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
        generator_optimizer=Optimizer(1e-3, Adam(b1=0.5, b2=0.9), schedule=LinearDecay(10_000)),
        critic_optimizer=Optimizer(1e-3, Adam(b1=0.5, b2=0.9), schedule=LinearDecay(5 * 10_000)),
        average=Exponential(0.99),
    ),
    data="swiss_roll",
    batch_size=256,
    steps=10_000,
    steps_per_call=50,
    log_every=500,
    sample_every=2_000,
    checkpoint_every=2_000,
    num_samples=1_000,
    pictures=("samples", "level_sets"),
)
