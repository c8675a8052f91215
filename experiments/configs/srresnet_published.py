"""SRResNet as published, four times as large, 96x96, by squared pixel error: for a GPU.

python -m experiments.train srresnet_published --data super_resolution:PATH

The authors take 350,000 pictures of ImageNet. Their PSNR on Set5 and Set14 is 32.05 and 28.49 dB.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.translation import srresnet

EXPERIMENT = Experiment(
    model=srresnet.Config(),
    data="super_resolution:imagenet",
    images=ImageOptions(size=24, target_factor=4, channels=3, crop="random", flip=True),
    steps=1_000_000,
    batch_size=16,
    steps_per_call=100,
    log_every=500,
    sample_every=50_000,
    checkpoint_every=10_000,
    num_samples=24,
)
