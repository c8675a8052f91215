"""ESRGAN as published, four times as large, 128x128: for a GPU.

python -m experiments.train esrgan_published --init-from runs/esrgan_psnr_published --pretrained features=vgg19.pth

`vgg19.pth` is torchvision's. The authors halve both players' relativistic losses: half of their weight 5e-3 stands
here. The learning rate falls to a sixteenth on half a cosine, in their code by four halvings.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.gans.objectives import Relativistic
from jaxgen.nets.rrdb import RRDBNet
from jaxgen.nets.srgan import SRGANDiscriminator
from jaxgen.nets.vgg19 import VGG19
from jaxgen.optimizers import Adam, Cosine, Optimizer
from jaxgen.translation import srgan
from jaxgen.translation.errors import AbsoluteError

STEPS = 400_000
ADAM = Optimizer(1e-4, Adam(b2=0.99), Cosine(STEPS, final=1 / 16))

EXPERIMENT = Experiment(
    model=srgan.Config(
        input_shape=(32, 32, 3),
        image_shape=(128, 128, 3),
        value_range=(0.0, 1.0),
        generator=RRDBNet(),
        discriminator=SRGANDiscriminator(downs=5, width=100, halving_kernel=4, use_bias=False),
        features=VGG19(activated=False),
        objective=Relativistic(),
        error=AbsoluteError(),
        error_weight=1e-2,
        feature_error=AbsoluteError(),
        feature_weight=1.0,
        adversarial_weight=2.5e-3,
        generator_optimizer=ADAM,
        discriminator_optimizer=ADAM,
    ),
    data="super_resolution:div2k",
    images=ImageOptions(size=32, target_factor=4, channels=3, crop="random", flip=True),
    steps=STEPS,
    batch_size=16,
    steps_per_call=100,
    log_every=500,
    sample_every=20_000,
    checkpoint_every=5_000,
    num_samples=24,
)
