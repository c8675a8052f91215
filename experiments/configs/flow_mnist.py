"""Flow matching (a U-Net on patches of 2x2 pixels, logit-normal times) on MNIST, prepared by tensorflow-datasets.

python -m experiments.train flow_mnist --data-dir DIR
"""

from experiments.runs.experiment import Experiment
from jaxgen.diffusion import flow_matching
from jaxgen.diffusion.samplers import Euler
from jaxgen.diffusion.times import LogitNormal
from jaxgen.moving_averages import HalfLife
from jaxgen.nets.unet.ddpm import UNet
from jaxgen.nets.unet.patches import Patched
from jaxgen.optimizers import Adam, Optimizer

EXPERIMENT = Experiment(
    model=flow_matching.Config(
        image_shape=(28, 28, 1),
        denoiser=Patched(UNet(32, (1, 2), 1, attention=(7,), dropout=0.0)),
        times=LogitNormal(),
        sampler=Euler(50),
        optimizer=Optimizer(1e-3, Adam(), warm_up=200, clip_norm=1.0),
        average=HalfLife(200.0),
    ),
    data="mnist",
    steps=3_000,
    sample_every=1_000,
    checkpoint_every=500,
)
