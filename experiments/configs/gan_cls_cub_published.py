"""GAN-CLS and GAN-INT as the authors' script has them for birds, 64x64: for a GPU.

python -m experiments.train gan_cls_cub_published --data captions:FOLDER --pretrained encoder=RUN:encoders/text

FOLDER holds pictures of CUB-200-2011 and captions.txt with lines `file.jpg,caption`, ten a picture. 600 epochs of
8,855 training pictures are 83,016 updates of 64; the code halves the learning rate at each 100 epochs. An update takes
64 pictures with texts and 64 others.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.optimizers import Adam, Optimizer, StepDecay
from jaxgen.text_to_image import gan_cls

HALVED = Optimizer(2e-4, Adam(b1=0.5), schedule=StepDecay(13_836))

EXPERIMENT = Experiment(
    model=gan_cls.Config(generator_optimizer=HALVED, discriminator_optimizer=HALVED),
    data="captions:cub",
    images=ImageOptions(size=64, crop="random", flip=True, caption_length=201),
    batch_size=64,
    steps=83_016,
    sample_every=2_000,
)
