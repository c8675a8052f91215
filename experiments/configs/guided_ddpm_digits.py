"""DDPM guided by a classifier of noisy images on scikit-learn's 8x8 handwritten digits.

python -m experiments.train guided_ddpm_digits

The denoiser is never told a class. At step 4,000 (seeds 0 and 1; 14 minutes on a fraction of two cores of an AMD EPYC,
11 on one core of an Intel Xeon), 1,000 samples: a classifier of clean digits finds the class that was asked for in 96.9
and 95.9 % of them (98.3 % of held-out ones); Frechet distance of its features 8.7 and 9.2 (9.6), recall 0.81 and 0.85
(0.91).
"""

from experiments.runs.experiment import Experiment
from jaxgen.diffusion import guided_ddpm
from jaxgen.diffusion.guidance import ByClassifier
from jaxgen.diffusion.samplers import DDIM
from jaxgen.diffusion.schedules import CosineBetas
from jaxgen.moving_averages import HalfLife
from jaxgen.nets.unet.classifier import NoisyClassifier
from jaxgen.nets.unet.ddpm import UNet
from jaxgen.optimizers import Adam, Optimizer

EXPERIMENT = Experiment(
    model=guided_ddpm.Config(
        image_shape=(8, 8, 1),
        class_dropout=1.0,
        denoiser=UNet(32, (1, 2), 1, attention=(4,), dropout=0.0),
        classifier=NoisyClassifier(32, (1, 2), 1, attention=(), head_features=32, pool="mean"),
        schedule=CosineBetas(1000),
        sampler=DDIM(50, eta=1.0),
        guidance=ByClassifier(2.0, conditional=False),
        optimizer=Optimizer(1e-3, Adam(), warm_up=100, clip_norm=1.0),
        classifier_optimizer=Optimizer(1e-3, Adam(), weight_decay=0.05),
        average=HalfLife(200.0),
    ),
    data="digits",
    steps=4_000,
    steps_per_call=50,
    num_samples=100,
)
