"""KL autoencoder (16 channels) on drawn shapes, 32x32: latents of 8x8x4 for a latent diffusion model.

python -m experiments.train kl_autoencoder_shapes_captions

At step 12,000 (seed 0, 20 minutes of one of two shared cores of an AMD EPYC) values in [-1, 1] are off by .0064 on
average. For a processor: without a game and without a feature network, whose details such pictures do not have.
"""

from experiments.runs.experiment import Experiment
from jaxgen.autoencoders import kl_autoencoder
from jaxgen.autoencoders.adaptive_weight import Adversarial
from jaxgen.nets.kl_autoencoder import LatentDecoder, LatentEncoder
from jaxgen.optimizers import Adam, Cosine, Optimizer

STEPS = 12_000

EXPERIMENT = Experiment(
    model=kl_autoencoder.Config(
        image_shape=(32, 32, 3),
        halvings=2,
        encoder=LatentEncoder(16, (1, 2, 4), 1),
        decoder=LatentDecoder(16, (1, 2, 4), 1),
        discriminator=None,
        adversarial=Adversarial(weight=0.0),
        autoencoder_optimizer=Optimizer(2e-3, Adam(), Cosine(STEPS, final=0.05), warm_up=100),
    ),
    data="shapes_captions",
    batch_size=16,
    steps=STEPS,
    pictures=("reconstructions",),
    num_samples=32,
)
