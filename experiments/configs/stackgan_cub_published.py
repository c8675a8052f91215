"""StackGAN, stage I, as the authors' script has it for birds, 64x64: for a GPU.

python -m experiments.train stackgan_cub_published --data captions:FOLDER --pretrained encoder=RUN:encoders/text

Data and updates are those of `gan_cls_cub_published`; the learning rate is halved at each 50 epochs.
"""

import dataclasses

from experiments.configs.gan_cls_cub_published import EXPERIMENT as GAN_CLS
from jaxgen.optimizers import Adam, Optimizer, StepDecay
from jaxgen.text_to_image import stackgan

HALVED = Optimizer(2e-4, Adam(b1=0.5), schedule=StepDecay(6_918))

EXPERIMENT = dataclasses.replace(
    GAN_CLS, model=stackgan.Config(generator_optimizer=HALVED, discriminator_optimizer=HALVED)
)
