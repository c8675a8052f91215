"""EDM with classes, narrow (a U-Net on patches of 2x2 pixels), on CIFAR-10.

python -m experiments.train edm_cifar10_small --data-dir DIR
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.diffusion import edm
from jaxgen.diffusion.guidance import ClassifierFree
from jaxgen.diffusion.samplers import Heun
from jaxgen.moving_averages import HalfLife
from jaxgen.nets.unet.ddpm_plus_plus import DDPMPlusPlus
from jaxgen.nets.unet.patches import Patched
from jaxgen.optimizers import Adam, Optimizer

EXPERIMENT = Experiment(
    model=edm.Config(
        num_classes=10,
        denoiser=Patched(DDPMPlusPlus(64, (1, 2), 1, attention=(8,), dropout=0.0)),
        sampler=Heun(18),
        guidance=ClassifierFree(1.5),
        optimizer=Optimizer(1e-3, Adam(), warm_up=200, clip_norm=1.0),
        average=HalfLife(200.0),
    ),
    data="cifar10",
    images=ImageOptions(flip=True),
    steps=3_000,
    sample_every=1_000,
    checkpoint_every=500,
    num_samples=100,
)
