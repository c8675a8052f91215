"""EDM with classes (a U-Net on patches of 2x2 pixels) on Fashion-MNIST: a wardrobe, garment by garment.

python -m experiments.train edm_fashion_mnist --data-dir DIR

At step 3,600 (seeds 0 and 1; 40 minutes on one core of an AMD EPYC, 75 on one of an Intel Xeon, both beside other
work), 2,000 samples: a classifier that is right on 90 % of held-out pictures finds the class that was asked for in 89.6
and 90.9 % of them (89.2 and 90.0 % of held-out ones); Frechet distance of its features 3.3 and 3.5 (0.8), precision
0.81 and 0.81 (0.86), recall 0.83 and 0.80 (0.90). Of 500 samples, 9 steps of `--sampler dpm-solver` come as near
(5.9) as Heun's 35 evaluations (5.6; held-out pictures 2.5), 9 of Euler's do not (9.2).
Garments are whole and varied; in smooth cloth the patches of 2x2 pixels can be seen.
"""

from experiments.runs.experiment import Experiment
from jaxgen.diffusion import edm
from jaxgen.diffusion.guidance import ClassifierFree
from jaxgen.diffusion.samplers import Heun
from jaxgen.moving_averages import HalfLife
from jaxgen.nets.unet.ddpm_plus_plus import DDPMPlusPlus
from jaxgen.nets.unet.patches import Patched
from jaxgen.optimizers import Adam, Optimizer

EXPERIMENT = Experiment(
    model=edm.Config(
        image_shape=(28, 28, 1),
        num_classes=10,
        denoiser=Patched(DDPMPlusPlus(48, (1, 2), 1, attention=(7,), dropout=0.0)),
        sampler=Heun(18),
        guidance=ClassifierFree(1.5),
        optimizer=Optimizer(1e-3, Adam(), warm_up=200, clip_norm=1.0),
        average=HalfLife(200.0),
    ),
    data="fashion_mnist",
    steps=3_600,
    steps_per_call=10,
    sample_every=1_000,
    checkpoint_every=500,
    num_samples=100,
)
