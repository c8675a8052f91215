"""VQ-VAE with a PixelCNN prior on MNIST, prepared by tensorflow-datasets.

python -m experiments.train vq_vae_mnist --data-dir DIR

At 3,000 steps, seed 0, on the 10,000 test images: mean squared error 0.0134 of pixels from -1 to 1; all 128 codes
are in use, with a perplexity of 29.7; the prior needs 2.16 bits a code, where their frequencies alone need 4.89.
"""

from experiments.runs.experiment import Experiment
from jaxgen.autoencoders import vq_vae
from jaxgen.nets.grid import GridDecoder, GridEncoder
from jaxgen.nets.pixelcnn import PixelCNN
from jaxgen.optimizers import Adam, Optimizer

EXPERIMENT = Experiment(
    model=vq_vae.Config(
        image_shape=(28, 28, 1),
        num_codes=128,
        code_dim=16,
        pixel_variance=0.38,
        encoder=GridEncoder(channels=64, residual_blocks=1),
        decoder=GridDecoder(channels=64, residual_blocks=1),
        prior=PixelCNN(channels=32, layers=4),
        autoencoder_optimizer=Optimizer(1e-3, Adam()),
        prior_optimizer=Optimizer(1e-3, Adam()),
    ),
    data="mnist",
    steps=3_000,
    log_every=50,
    sample_every=500,
    checkpoint_every=500,
    num_samples=36,
    pictures=("samples", "reconstructions"),
)
