"""DDPM (a U-Net on patches of 2x2 pixels, v-prediction, cosine schedule) on Fashion-MNIST: the course's wardrobe.

python -m experiments.train ddpm_fashion_mnist --data-dir DIR

FIDLE's as taught is `ddpm_fashion_mnist_taught`. Here the network sees patches, predicts v in place of the noise, is
weighted by min-SNR, and an average of its weights draws: each makes a short training go further.

At step 5,000 (75 and 115 minutes of one of two shared cores of an Intel Xeon), 1,000 samples by 50 steps of DDIM with
eta 1, in the features of a classifier that is right on 90.3 %: Frechet distance 25.9 [21.1, 30.6] of seed 0 and 21.3
[17.1, 25.6] of seed 1 (1.3 for held-out images), precision 0.79 and 0.82 (0.89), recall 0.79 and 0.79 (0.90); with eta
0 seed 0 has 20.9 [16.7, 25.2], 0.73 and 0.84. Shapes are right and grainy, a few torn; bags are drawn up to twice as
often as they should be. `edm_fashion_mnist`, told the class and guided, has 3.1.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.diffusion import ddpm
from jaxgen.diffusion.predictions import V
from jaxgen.diffusion.samplers import DDIM
from jaxgen.diffusion.schedules import CosineBetas
from jaxgen.diffusion.weights import MinSNR
from jaxgen.moving_averages import HalfLife
from jaxgen.nets.unet.ddpm import UNet
from jaxgen.nets.unet.patches import Patched
from jaxgen.optimizers import Adam, Optimizer

EXPERIMENT = Experiment(
    model=ddpm.Config(
        image_shape=(28, 28, 1),
        denoiser=Patched(UNet(48, (1, 2), 1, attention=(7,), dropout=0.0)),
        schedule=CosineBetas(1000),
        prediction=V(),
        weight=MinSNR(5.0),
        sampler=DDIM(50, eta=1.0),
        optimizer=Optimizer(1e-3, Adam(), warm_up=200, clip_norm=1.0),
        average=HalfLife(200.0),
    ),
    data="fashion_mnist",
    images=ImageOptions(flip=True),
    steps=5_000,
    sample_every=1_000,
    checkpoint_every=500,
)
