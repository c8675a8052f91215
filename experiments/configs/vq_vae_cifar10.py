"""VQ-VAE with a PixelCNN prior on CIFAR-10, prepared by tensorflow-datasets.

python -m experiments.train vq_vae_cifar10 --data-dir DIR

At 1,660 of the steps, seed 0, on the 10,000 test images: mean squared error 0.0195 of pixels from -1 to 1 (0.078 of
their variance); 294 of 512 codes are in use, with a perplexity of 185; the prior needs 5.98 bits a code, where their
frequencies alone need 7.53.
"""

from experiments.runs.experiment import Experiment
from jaxgen.autoencoders import vq_vae
from jaxgen.nets.grid import GridDecoder, GridEncoder
from jaxgen.nets.pixelcnn import PixelCNN
from jaxgen.optimizers import Adam, Optimizer

EXPERIMENT = Experiment(
    model=vq_vae.Config(
        encoder=GridEncoder(channels=64, residual_blocks=2),
        decoder=GridDecoder(channels=64, residual_blocks=2),
        prior=PixelCNN(channels=48, layers=4),
        autoencoder_optimizer=Optimizer(1e-3, Adam()),
        prior_optimizer=Optimizer(1e-3, Adam()),
    ),
    data="cifar10",
    batch_size=32,
    steps=5_000,
    log_every=50,
    sample_every=1_000,
    checkpoint_every=1_000,
    num_samples=36,
    pictures=("samples", "reconstructions"),
)
