"""DDPM (a perceptron that is told the time) on a Swiss roll.

python -m experiments.train ddpm_swiss_roll
"""

from experiments.runs.experiment import Experiment
from jaxgen.diffusion import ddpm
from jaxgen.diffusion.limits import NoLimit
from jaxgen.diffusion.samplers import Ancestral
from jaxgen.diffusion.schedules import CosineBetas
from jaxgen.moving_averages import HalfLife
from jaxgen.nets.time_mlp import TimeMLP
from jaxgen.optimizers import Adam, LinearDecay, Optimizer

EXPERIMENT = Experiment(
    model=ddpm.Config(
        image_shape=(2,),
        value_range=None,
        denoiser=TimeMLP(128, 3),
        schedule=CosineBetas(200),
        sampler=Ancestral(200, "small", limit=NoLimit()),
        optimizer=Optimizer(1e-3, Adam(), LinearDecay(20_000)),
        average=HalfLife(200.0),
    ),
    data="swiss_roll",
    batch_size=256,
    steps=20_000,
    steps_per_call=50,
    log_every=500,
    sample_every=2_000,
    checkpoint_every=2_000,
    num_samples=1_000,
    pictures=("samples", "trajectories"),
)
