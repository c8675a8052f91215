"""VAE (convolutional, one learned variance) on 64x64 colour images, for one 16 classes of Tiny ImageNet.

python -m experiments.train conv_vae_tiny_imagenet --data-dir DIR                        # or --data another 64x64 set
python -m experiments.train conv_vae_tiny_imagenet --data-dir DIR --steps 200000 --batch-size 256    # on a GPU

The same 16 classes as PNG files, --data folder:PATH --images.size 64: at step 5,000, seed 0, the ELBO of training
images is 1,878 nats (a density of grey levels in (0, 1)), 91 of them divergence; colours and layout return, no
edges. 4 to 5 updates a second on a shared core of an Intel Xeon.
"""

from experiments.runs.experiment import Experiment
from jaxgen.autoencoders import vae
from jaxgen.autoencoders.likelihoods import LearnedGaussian
from jaxgen.autoencoders.networks import HIGGINS_CONV
from jaxgen.nets.shared_scale import SharedScale
from jaxgen.optimizers import Adam, Optimizer

EXPERIMENT = Experiment(
    model=vae.Config(
        image_shape=(64, 64, 3),
        latent_dim=64,
        encoder=HIGGINS_CONV.encoder,
        decoder=SharedScale(HIGGINS_CONV.decoder),
        likelihood=LearnedGaussian(),
        optimizer=Optimizer(5e-4, Adam()),
    ),
    data="tiny_imagenet_subset",
    steps=5_000,
    batch_size=64,
    sample_every=500,
    checkpoint_every=500,
    pictures=("samples", "reconstructions"),
)
