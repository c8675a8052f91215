"""Flow matching with a diffusion transformer (DiT, on patches of 4x4 pixels) and classes on Fashion-MNIST.

python -m experiments.train dit_fashion_mnist --data-dir DIR

Meant for about forty minutes on one core.
"""

from experiments.runs.experiment import Experiment
from jaxgen.diffusion import flow_matching
from jaxgen.diffusion.guidance import ClassifierFree
from jaxgen.diffusion.samplers import Euler
from jaxgen.diffusion.times import LogitNormal
from jaxgen.moving_averages import HalfLife
from jaxgen.nets.dit import DiT
from jaxgen.optimizers import Adam, Optimizer

EXPERIMENT = Experiment(
    model=flow_matching.Config(
        image_shape=(28, 28, 1),
        num_classes=10,
        denoiser=DiT(128, 6, 4, patch=4),
        times=LogitNormal(),
        sampler=Euler(50),
        guidance=ClassifierFree(1.5),
        optimizer=Optimizer(1e-3, Adam(b2=0.99), warm_up=200, clip_norm=1.0),
        average=HalfLife(200.0),
    ),
    data="fashion_mnist",
    steps=4_000,
    sample_every=1_000,
    checkpoint_every=500,
    num_samples=100,
)
