"""SRResNet (a quarter as deep, half as wide) on photographs, four times as large, 64x64: by pixel error alone.

python -m experiments.train srresnet_photos --data-dir DIR

For a processor; `srresnet_published` has the paper's depth, width and size. Runs are compared on Set5 and Set14 by
`python -m experiments.benchmarks.super_resolution`.
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
