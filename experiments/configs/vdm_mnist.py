"""Variational diffusion model (a small U-Net) of the binary pixels of MNIST, prepared by tensorflow-datasets.

python -m experiments.train vdm_mnist --data-dir DIR
python -m experiments.likelihood runs/vdm_mnist --num-images 500

The second command computes the bound in nats, of the same pixels as those of `vae_mnist` and `iwae_mnist`: drawn once
from the grey levels. At 4,000 updates (seed 0, 82 minutes on one core of an Intel Xeon, beside other work) it is 85.6
(standard error .9) on 500 held-out images, where `iwae_mnist` reaches 89.0 after 40,000 updates of 100 images. 1,000
samples, which are of two levels: a classifier of grey digits, right on 99.1 % of held-out ones, recognises (p >= 0.9)
69.5 % (of held-out grey digits 97.3), Frechet distance 29.3 (held out 3.9), precision .66 (.88), recall .85 (.89).
"""

from experiments.runs.experiment import Experiment
from jaxgen.diffusion import vdm
from jaxgen.moving_averages import HalfLife
from jaxgen.nets.unet.ddpm import UNet
from jaxgen.nets.unet.fourier_inputs import FourierInputs
from jaxgen.optimizers import Adam, LinearDecay, Optimizer

EXPERIMENT = Experiment(
    model=vdm.Config(
        image_shape=(28, 28, 1),
        denoiser=FourierInputs(UNet(24, (1, 2, 2), 1, attention=(7,), dropout=0.0), ()),
        schedule=vdm.Gammas(-5.0, 6.0),
        num_levels=2,
        binarize="once",
        sampler=vdm.GammaSteps(250),
        optimizer=Optimizer(2e-3, Adam(b2=0.99), LinearDecay(4_000), warm_up=100, clip_norm=1.0),
        average=HalfLife(100.0),
    ),
    data="mnist",
    batch_size=64,
    steps=4_000,
    log_every=50,
    sample_every=500,
    checkpoint_every=500,
    num_samples=64,
    pictures=("samples",),
)
