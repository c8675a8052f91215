"""SRResNet (a quarter as deep, half as wide) on photographs, four times as large, 64x64: by pixel error alone.

python -m experiments.train srresnet_photos --data super_resolution:PATH

For a processor; `srresnet_imagenet_published` has the paper's depth, width and size. Runs are compared on Set5 and
Set14 by `python -m experiments.benchmarks.super_resolution`.

At step 6,000 (seed 0, 20 minutes on one core of an AMD EPYC beside other work; tiles of T91 and of the shared part of
Flickr8k): 30.18 dB on Set5 and 27.20 on Set14 of the luminance (bicubic 28.43 and 26.00); 24.99 dB [24.61, 25.40] on
481 held-out tiles in colours (bicubic 24.20 [23.83, 24.59]). Edges are sharp, fine texture stays smooth.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.nets.srresnet import SRResNet
from jaxgen.optimizers import Adam, Cosine, Optimizer
from jaxgen.translation import srresnet
from jaxgen.translation.errors import AbsoluteError

STEPS = 6_000

EXPERIMENT = Experiment(
    model=srresnet.Config(
        input_shape=(16, 16, 3),
        image_shape=(64, 64, 3),
        generator=SRResNet(channels=32, blocks=4),
        error=AbsoluteError(),
        generator_optimizer=Optimizer(1e-3, Adam(), Cosine(STEPS, final=0.01)),
    ),
    data="super_resolution:photos",
    images=ImageOptions(size=16, target_factor=4, channels=3, crop="random", flip=True),
    steps=STEPS,
    batch_size=16,
    steps_per_call=25,
    log_every=100,
    sample_every=1_000,
    checkpoint_every=1_000,
    num_samples=24,
)
