"""VAE (convolutional, squared error) on a folder of your own colour photographs, 64x64.

python -m experiments.train conv_vae_photos --data folder:photos
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.autoencoders import vae
from jaxgen.autoencoders.likelihoods import Gaussian
from jaxgen.autoencoders.networks import HIGGINS_CONV
from jaxgen.optimizers import Adam, Optimizer

EXPERIMENT = Experiment(
    model=vae.Config(
        image_shape=(64, 64, 3),
        latent_dim=128,
        encoder=HIGGINS_CONV.encoder,
        decoder=HIGGINS_CONV.decoder,
        likelihood=Gaussian(variance=0.01),
        optimizer=Optimizer(1e-3, Adam()),
    ),
    data="folder:photos",
    images=ImageOptions(size=64, flip=True),
    steps=3_000,
    batch_size=32,
    log_every=50,
    sample_every=500,
    checkpoint_every=500,
    pictures=("samples", "reconstructions"),
)
