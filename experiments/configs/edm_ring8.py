"""EDM (a perceptron that is told the time) on eight Gaussians on a circle.

python -m experiments.train edm_ring8

At 20,000 updates, seed 0, 10,000 samples by `python -m experiments.evaluate --num-samples 10000`: 8 of 8 modes, 95.8 %
of all within three deviations of a mode (98.9 % of real points are), by 18 steps of Heun, 35 evaluations of the net.
`--sampler dpm-solver --sampler.steps 12 --sampler.grid karras`, 12 evaluations: 8 modes, 83.1 %; 5 steps of Heun find
none. 71 s on one core of an AMD EPYC, beside other work.
"""

from experiments.runs.experiment import Experiment
from jaxgen.diffusion import edm
from jaxgen.diffusion.predictions import Preconditioned
from jaxgen.diffusion.samplers import Heun
from jaxgen.diffusion.weights import EDMWeight
from jaxgen.moving_averages import HalfLife
from jaxgen.nets.time_mlp import TimeMLP
from jaxgen.nets.unet.embeddings import Fourier
from jaxgen.optimizers import Adam, LinearDecay, Optimizer

EXPERIMENT = Experiment(
    model=edm.Config(
        image_shape=(2,),
        value_range=None,
        denoiser=TimeMLP(128, 3, Fourier()),
        prediction=Preconditioned(1.0),
        weight=EDMWeight(1.0),
        sampler=Heun(18),
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
