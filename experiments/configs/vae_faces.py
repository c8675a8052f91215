"""VAE (convolutional, squared error) on 64x64 faces of CelebA: 2,400 pictures.

python -m experiments.train vae_faces --data-dir DIR
python -m experiments.latents runs/vae_faces reconstruct --draws 8
python -m experiments.latents runs/vae_faces arithmetic --plus attributes:Smiling --minus attributes:-Smiling

The second command draws several decodings of one test picture from its posterior, the third adds a smile.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.autoencoders import vae
from jaxgen.autoencoders.likelihoods import Gaussian
from jaxgen.nets.conv_autoencoder import ConvDecoder, ConvEncoder
from jaxgen.optimizers import Adam, Optimizer

EXPERIMENT = Experiment(
    model=vae.Config(
        image_shape=(64, 64, 3),
        latent_dim=64,
        encoder=ConvEncoder((32, 64, 128, 256), kernel_size=4),
        decoder=ConvDecoder((256, 128, 64, 32), kernel_size=4, output_strides=2),
        likelihood=Gaussian(variance=0.01),  # about the squared error that is left
        optimizer=Optimizer(1e-3, Adam()),
    ),
    data="celeba_subset",
    images=ImageOptions(size=64, flip=True),
    steps=5_000,
    batch_size=32,
    log_every=50,
    sample_every=500,
    checkpoint_every=500,
    num_samples=24,
    pictures=("samples", "reconstructions"),
)
