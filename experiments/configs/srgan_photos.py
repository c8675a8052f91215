"""SRGAN (a quarter as deep, half as wide) on photographs, four times as large, 64x64: without a feature network.

python -m experiments.train srgan_photos --init-from runs/srresnet_photos --data-dir DIR

For a processor. The generator begins with that of `srresnet_photos`; the content is compared by squared pixel error,
as in the paper's SRGAN-MSE.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.nets.srgan import SRGANDiscriminator
from jaxgen.nets.srresnet import SRResNet
from jaxgen.optimizers import Adam, Cosine, Optimizer
from jaxgen.translation import srgan

STEPS = 2_500
ADAM = Optimizer(1e-4, Adam(), Cosine(STEPS, final=0.1))

EXPERIMENT = Experiment(
    model=srgan.Config(
        input_shape=(16, 16, 3),
        image_shape=(64, 64, 3),
        generator=SRResNet(channels=32, blocks=4),
        discriminator=SRGANDiscriminator(channels=16, width=128),
        features=None,
        error_weight=1.0,
        adversarial_weight=1e-3,
        generator_optimizer=ADAM,
        discriminator_optimizer=ADAM,
    ),
    data="super_resolution:T91/HR,flickr8k_subset",
    images=ImageOptions(size=16, target_factor=4, channels=3, crop="random", flip=True),
    steps=STEPS,
    batch_size=16,
    steps_per_call=25,
    log_every=100,
    sample_every=500,
    checkpoint_every=500,
    num_samples=24,
)
