"""Rectified flow: the pairs of noise and points that flow_ring8 makes, learned anew, so that its paths are straight.

python -m experiments.train reflow_ring8 --pretrained teacher=runs/flow_ring8:ema
"""

from experiments.runs.experiment import Experiment
from jaxgen.diffusion import flow_matching
from jaxgen.diffusion.couplings import Reflow
from jaxgen.diffusion.samplers import Euler
from jaxgen.moving_averages import HalfLife
from jaxgen.nets.time_mlp import TimeMLP
from jaxgen.optimizers import Adam, LinearDecay, Optimizer

EXPERIMENT = Experiment(
    model=flow_matching.Config(
        image_shape=(2,),
        value_range=None,
        denoiser=TimeMLP(128, 3),
        coupling=Reflow(20),
        sampler=Euler(50),
        optimizer=Optimizer(1e-3, Adam(), LinearDecay(6_000)),
        average=HalfLife(200.0),
    ),
    data="ring8",
    batch_size=256,
    steps=6_000,
    steps_per_call=50,
    log_every=500,
    sample_every=1_000,
    checkpoint_every=1_000,
    num_samples=1_000,
    pictures=("samples", "trajectories"),
)
