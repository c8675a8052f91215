"""EDM with classes (a U-Net on patches of 2x2 pixels) on Fashion-MNIST: a wardrobe, garment by garment.

python -m experiments.train edm_fashion_mnist --data-dir DIR
"""

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
        image_shape=(28, 28, 1),
        num_classes=10,
        denoiser=Patched(DDPMPlusPlus(48, (1, 2), 1, attention=(7,), dropout=0.0)),
        sampler=Heun(18),
        guidance=ClassifierFree(1.5),
        optimizer=Optimizer(1e-3, Adam(), warm_up=200, clip_norm=1.0),
        average=HalfLife(200.0),
    ),
    data="fashion_mnist",
    steps=3_600,
    steps_per_call=10,
    sample_every=1_000,
    checkpoint_every=500,
    num_samples=100,
)
