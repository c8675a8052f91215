"""Score-based model (sub-VP, a perceptron that is told the time) on eight Gaussians on a circle.

python -m experiments.train score_sde_ring8
python -m experiments.likelihood runs/score_sde_ring8 --num-probes 0

The second command computes log p(x) of held-out points by the ordinary differential equation.

At 20,000 updates, seed 0, 1,000 samples: 8 of 8 modes, 96.6 % of all within three deviations of a mode (99.0 % of
real points are). -log p(x) of 1,000 held-out points is -3.638 (standard error .031); by the density that they were
drawn from it is -3.684. `--sampler heun --sampler.steps 30`, 59 evaluations in place of 400: 95 % within three
deviations, and 96 % with `--sampler adaptive`. By adaptive steps (`--tolerance 1e-5`) -log p(x) is -3.638 as well. With
Langevin steps (`--sampler.corrections 1 --sampler.steps 200`) 74 %: in the plane some scores are near 0, and their
steps too long. 6.5 minutes on one core of an Intel Xeon, beside other work.
"""

from experiments.runs.experiment import Experiment
from jaxgen.diffusion import score_sde
from jaxgen.diffusion.samplers import PredictorCorrector
from jaxgen.diffusion.schedules import SubVP
from jaxgen.moving_averages import HalfLife
from jaxgen.nets.time_mlp import TimeMLP
from jaxgen.optimizers import Adam, LinearDecay, Optimizer

EXPERIMENT = Experiment(
    model=score_sde.Config(
        image_shape=(2,),
        value_range=None,
        denoiser=TimeMLP(128, 3),
        schedule=SubVP(end=1e-3),
        sampler=PredictorCorrector(400, corrections=0),
        optimizer=Optimizer(1e-3, Adam(), LinearDecay(20_000)),
        average=HalfLife(200.0),
    ),
    data="ring8",
    batch_size=256,
    steps=20_000,
    steps_per_call=50,
    log_every=500,
    sample_every=2_000,
    checkpoint_every=2_000,
    num_samples=1_000,
    pictures=("samples", "trajectories"),
)
