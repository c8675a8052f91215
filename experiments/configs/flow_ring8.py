"""Flow matching (a perceptron that is told the time) on eight Gaussians on a circle; the teacher of reflow_ring8.

python -m experiments.train flow_ring8

At 10,000 updates, seed 0, 10,000 samples by `python -m experiments.evaluate --num-samples 10000 --sampler.steps N`:

    steps of Euler                            1      2      5      50
    modes covered                             0      0      8       8
    within three deviations of a mode       0.0 %  0.0 %  58.8 %  97.2 %      (98.9 % of real points are)

The first step leads every point to the mean of the data. 37 s on one core of an AMD EPYC, beside other work.
"""

from experiments.runs.experiment import Experiment
from jaxgen.diffusion import flow_matching
from jaxgen.diffusion.couplings import Independent
from jaxgen.diffusion.samplers import Euler
from jaxgen.moving_averages import HalfLife
from jaxgen.nets.time_mlp import TimeMLP
from jaxgen.optimizers import Adam, LinearDecay, Optimizer

EXPERIMENT = Experiment(
    model=flow_matching.Config(
        image_shape=(2,),
        value_range=None,
        denoiser=TimeMLP(128, 3),
        coupling=Independent(),
        sampler=Euler(50),
        optimizer=Optimizer(1e-3, Adam(), LinearDecay(10_000)),
        average=HalfLife(200.0),
    ),
    data="ring8",
    batch_size=256,
    steps=10_000,
    steps_per_call=50,
    log_every=500,
    sample_every=2_000,
    checkpoint_every=2_000,
    num_samples=1_000,
    pictures=("samples", "trajectories"),
)
