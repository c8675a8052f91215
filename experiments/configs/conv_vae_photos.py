"""VAE (convolutional, squared error) on a folder of your own colour photographs, 64x64.

python -m experiments.train conv_vae_photos --data folder:photos

On 1,350 photographs of mountains, lakes and shores (seed 0): 3,000 updates take 5 minutes of processor time on an AMD
EPYC. At the end the squared error of a colour value in [0, 1] is 0.015 in training, with 233 nats
of divergence. Reconstructions of held-out photographs keep layout and colours, and no edges; samples are blurred
patches of sky, water and land, few with a horizon. `dcgan64_lakeside` draws sharper ones in an hour.
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
        likelihood=Gaussian(variance=0.02),  # about the squared error that is left
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
