"""MeanFlow (a perceptron that is told time and span) on eight Gaussians on a circle.

python -m experiments.train mean_flow_ring8

Meant for about two minutes on one core.
"""

from experiments.runs.experiment import Experiment
from jaxgen.diffusion import mean_flow
from jaxgen.diffusion.times import UniformTimes
from jaxgen.moving_averages import HalfLife
from jaxgen.nets.time_mlp import TimeMLP
from jaxgen.nets.unet.embeddings import Fourier
from jaxgen.optimizers import Adam, LinearDecay, Optimizer

STEPS = 20_000

EXPERIMENT = Experiment(
    model=mean_flow.Config(
        image_shape=(2,),
        value_range=None,
        denoiser=TimeMLP(128, 3, Fourier()),
        times=UniformTimes(),
        instant=0.5,
        power=0.5,
        optimizer=Optimizer(1e-3, Adam(), LinearDecay(STEPS)),
        average=HalfLife(200.0),
    ),
    data="ring8",
    batch_size=256,
    steps=STEPS,
    steps_per_call=50,
    log_every=500,
    sample_every=2_000,
    checkpoint_every=2_000,
    num_samples=1_000,
)
