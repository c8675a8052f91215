"""DDPM on Fashion-MNIST as the course FIDLE teaches it: a U-Net of ConvNeXt blocks, for a GPU.

python -m experiments.train ddpm_fashion_mnist_taught --data-dir DIR

The notebook DDPM1: T = 1000 on the linear schedule, smooth L1 error of the noise, Adam with 1e-4, batches of 64, half
of the images mirrored, 3 epochs; samples with the small variance, without clipping and without a moving average.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.diffusion import ddpm
from jaxgen.diffusion.limits import NoLimit
from jaxgen.diffusion.samplers import Ancestral
from jaxgen.diffusion.weights import SmoothL1
from jaxgen.moving_averages import NoAverage
from jaxgen.nets.courses.annotated_diffusion import ConvNeXtUNet
from jaxgen.optimizers import Adam, Optimizer

EXPERIMENT = Experiment(
    model=ddpm.Config(
        image_shape=(28, 28, 1),
        denoiser=ConvNeXtUNet(),
        distance=SmoothL1(),
        sampler=Ancestral(1000, "small", limit=NoLimit()),
        optimizer=Optimizer(1e-4, Adam()),
        average=NoAverage(),
    ),
    data="fashion_mnist",
    images=ImageOptions(flip=True),
    steps=2_814,
    sample_every=938,
    checkpoint_every=469,
    num_samples=16,
)
