"""EDM (a perceptron that is told the time) on eight Gaussians on a circle.

python -m experiments.train edm_ring8
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
