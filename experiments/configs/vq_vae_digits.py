"""VQ-VAE with a PixelCNN prior on scikit-learn's 8x8 handwritten digits: 4x4 codes an image.

python -m experiments.train vq_vae_digits
"""

from experiments.runs.experiment import Experiment
from jaxgen.autoencoders import vq_vae
from jaxgen.nets.grid import GridDecoder, GridEncoder
from jaxgen.nets.pixelcnn import PixelCNN
from jaxgen.optimizers import Adam, Optimizer

EXPERIMENT = Experiment(
    model=vq_vae.Config(
        image_shape=(8, 8, 1),
        halvings=1,
        num_codes=64,
        code_dim=8,
        pixel_variance=0.57,
        encoder=GridEncoder(channels=32, residual_blocks=1, residual_channels=16),
        decoder=GridDecoder(channels=32, residual_blocks=1, residual_channels=16),
        prior=PixelCNN(channels=32, layers=4),
        autoencoder_optimizer=Optimizer(1e-3, Adam()),
        prior_optimizer=Optimizer(1e-3, Adam()),
    ),
    data="digits",
    steps=3_000,
    steps_per_call=20,
    sample_every=1_500,
    checkpoint_every=1_500,
    pictures=("samples", "reconstructions"),
)
