"""Networks of SAGAN for ImageNet at 128x128, as settings of SNGAN's: with attention, and wide discriminator blocks.

Zhang, Goodfellow, Metaxas, Odena: Self-Attention Generative Adversarial Networks, 2018, arXiv 1805.08318, and the
authors' code.

    Spectral(GENERATOR, exempt=("scale", "offset"))     latents of 128 numbers, 1,000 classes
    Spectral(DISCRIMINATOR)

Both players are spectrally normalised, but for the generator's tables of classes. `clone` gives narrower ones, and
other heights of attention: `GENERATOR.clone(channels=(256, 256, 128, 64), attention=(16,))` is one for 32x32.
"""

from jaxgen.nets.initializers import GlorotUniform
from jaxgen.nets.projection import ProjectionDiscriminator
from jaxgen.nets.sngan_resnet import FEATURES_128, GENERATOR_128, ConditionalResNetGenerator

GENERATOR = ConditionalResNetGenerator(GENERATOR_128, attention=(32,), initializer=GlorotUniform())
FEATURES = FEATURES_128.clone(wide=True, attention=(32,), initializer=GlorotUniform())
DISCRIMINATOR = ProjectionDiscriminator(FEATURES)
