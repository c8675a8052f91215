"""CC-GAN on Fashion-MNIST, 32x32, with the labels of one image in a hundred: about 600.

python -m experiments.train ccgan_fashion_mnist --data-dir DIR

`accuracy` is that of the images whose labels are not used. `--model.adversarial-weight 0` trains the same classifier
alone, with which it is to be compared.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.nets.dcgan import DCGANDiscriminator
from jaxgen.nets.pix2pix import UNetTranslator
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.translation import ccgan
from jaxgen.translation.masks import RandomSquare

EXPERIMENT = Experiment(
    model=ccgan.Config(
        image_shape=(32, 32, 1),
        masks=RandomSquare(16),
        labelled_share=0.01,
        generator=UNetTranslator(channels=16, downs=4),
        discriminator=DCGANDiscriminator(channels=32, kernel_size=4),
        generator_optimizer=Optimizer(2e-4, Adam(b1=0.5)),
        discriminator_optimizer=Optimizer(2e-4, Adam(b1=0.5)),
    ),
    data="fashion_mnist",
    images=ImageOptions(size=32),
    steps=10_000,
    batch_size=64,
    steps_per_call=50,
    log_every=200,
    sample_every=2_000,
    checkpoint_every=1_000,
    num_samples=48,
)
