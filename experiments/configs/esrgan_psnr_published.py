"""ESRGAN's generator as published, four times as large, 128x128: first stage, by L1 alone, for a GPU.

python -m experiments.train esrgan_psnr_published --data super_resolution:PATH

The authors take DIV2K and Flickr2K. Their PSNR on Set5 and Set14 is 32.73 and 28.99 dB. The learning rate falls on one
half of a cosine, in their code on four.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.nets.rrdb import RRDBNet
from jaxgen.optimizers import Adam, Cosine, Optimizer
from jaxgen.translation import srresnet
from jaxgen.translation.errors import AbsoluteError

STEPS = 1_000_000

EXPERIMENT = Experiment(
    model=srresnet.Config(
        input_shape=(32, 32, 3),
        image_shape=(128, 128, 3),
        value_range=(0.0, 1.0),
        generator=RRDBNet(),
        error=AbsoluteError(),
        generator_optimizer=Optimizer(2e-4, Adam(b2=0.99), Cosine(STEPS, final=5e-4)),
    ),
    data="super_resolution:div2k",
    images=ImageOptions(size=32, target_factor=4, channels=3, crop="random", flip=True),
    steps=STEPS,
    batch_size=16,
    steps_per_call=100,
    log_every=500,
    sample_every=50_000,
    checkpoint_every=10_000,
    num_samples=24,
)
