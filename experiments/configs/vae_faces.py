"""VAE (convolutional, one learned variance) on 64x64 faces of CelebA: 2,400 pictures.

python -m experiments.train vae_faces --data-dir DIR
python -m experiments.latents runs/vae_faces reconstruct --draws 8
python -m experiments.latents runs/vae_faces arithmetic --plus attributes:Smiling --minus attributes:-Smiling

The second command draws several decodings of one test picture from its posterior, the third adds a smile.

At 5,000 updates (seed 0, 17 minutes of one core of an AMD EPYC, beside other work): mean squared error of
reconstructions of 150 held-out faces .011 of pixels in [0, 1]. Faces without edges, background and hair as clouds; most
samples are faces. With a variance of .01 from the first update on most samples after 4,000 are none: the variance that
falls slowly, by the learning rate, weighs the divergence more for most of the run.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.autoencoders import vae
from jaxgen.autoencoders.likelihoods import LearnedGaussian
from jaxgen.nets.conv_autoencoder import ConvDecoder, ConvEncoder
from jaxgen.nets.shared_scale import SharedScale
from jaxgen.optimizers import Adam, Optimizer

EXPERIMENT = Experiment(
    model=vae.Config(
        image_shape=(64, 64, 3),
        latent_dim=64,
        encoder=ConvEncoder((32, 64, 128, 256), kernel_size=4),
        decoder=SharedScale(ConvDecoder((256, 128, 64, 32), kernel_size=4, output_strides=2)),
        likelihood=LearnedGaussian(),
        optimizer=Optimizer(1e-3, Adam()),
    ),
    data="celeba_subset",
    images=ImageOptions(size=64, flip=True),
    steps=5_000,
    batch_size=32,
    log_every=50,
    sample_every=500,
    checkpoint_every=500,
    pictures=("samples", "reconstructions"),
)
