"""EDM (a U-Net on patches of 2x2 pixels) on MNIST: the teacher of consistency_distilled_mnist.

python -m experiments.train edm_mnist --data-dir DIR

Meant for about thirty minutes on one core.
"""

from experiments.runs.experiment import Experiment
from jaxgen.diffusion import edm
from jaxgen.diffusion.samplers import Heun
from jaxgen.moving_averages import HalfLife
from jaxgen.nets.unet.ddpm_plus_plus import DDPMPlusPlus
from jaxgen.nets.unet.patches import Patched
from jaxgen.optimizers import Adam, Optimizer

NETWORK = Patched(DDPMPlusPlus(32, (1, 2), 1, attention=(7,), dropout=0.0))

EXPERIMENT = Experiment(
    model=edm.Config(
        image_shape=(28, 28, 1),
        denoiser=NETWORK,
        sampler=Heun(18),
        optimizer=Optimizer(1e-3, Adam(), warm_up=200, clip_norm=1.0),
        average=HalfLife(200.0),
    ),
    data="mnist",
    steps=3_000,
    sample_every=1_000,
    checkpoint_every=500,
)
