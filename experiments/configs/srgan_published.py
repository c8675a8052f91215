"""SRGAN-VGG54 as published, four times as large, 96x96: for a GPU.

python -m experiments.train srgan_published --init-from runs/srresnet_published --pretrained features=vgg19.pth

`vgg19.pth` is torchvision's. The learning rate falls from 1e-4 to 1e-5 on half a cosine, in the paper at once after
half of the updates.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.optimizers import Adam, Cosine, Optimizer
from jaxgen.translation import srgan

STEPS = 200_000
ADAM = Optimizer(1e-4, Adam(), Cosine(STEPS, final=0.1))

EXPERIMENT = Experiment(
    model=srgan.Config(generator_optimizer=ADAM, discriminator_optimizer=ADAM),
    data="super_resolution:imagenet",
    images=ImageOptions(size=24, target_factor=4, channels=3, crop="random", flip=True),
    steps=STEPS,
    batch_size=16,
    steps_per_call=100,
    log_every=500,
    sample_every=10_000,
    checkpoint_every=5_000,
    num_samples=24,
)
