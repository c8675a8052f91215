"""ESRGAN's generator (2 blocks, half as wide) on photographs, four times as large, 64x64: first stage, L1 alone.

python -m experiments.train esrgan_psnr_photos --data-dir DIR

For a processor; `esrgan_psnr_published` has the paper's depth, width and size.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.nets.rrdb import RRDBNet
from jaxgen.optimizers import Adam, Cosine, Optimizer
from jaxgen.translation import srresnet
from jaxgen.translation.errors import AbsoluteError

STEPS = 4_000

EXPERIMENT = Experiment(
    model=srresnet.Config(
        input_shape=(16, 16, 3),
        image_shape=(64, 64, 3),
        value_range=(0.0, 1.0),
        generator=RRDBNet(channels=32, growth=16, blocks=2),
        error=AbsoluteError(),
        generator_optimizer=Optimizer(5e-4, Adam(b2=0.99), Cosine(STEPS, final=0.01)),
    ),
    data="super_resolution:T91/HR,flickr8k_subset",
    images=ImageOptions(size=16, target_factor=4, channels=3, crop="random", flip=True),
    steps=STEPS,
    batch_size=16,
    steps_per_call=25,
    log_every=100,
    sample_every=1_000,
    checkpoint_every=1_000,
    num_samples=24,
)
