"""MeanFlow (DiT on patches of 4x4 pixels) on MNIST, by class: digits in one step.

python -m experiments.train mean_flow_mnist --data-dir DIR
python -m experiments.evaluate runs/mean_flow_mnist --drawing.steps 2

The second command draws by two steps, `--drawing.steps 1` is the run's own.

Of 1,000 samples by one step, seed 0, a classifier that is right on 99.1 % of held-out digits recognises (p >= 0.9)
81.0 % (held out 97.5 %) and finds the class that was asked for in 88.2 % (99.1 %); Frechet distance 22.1 (held out
3.9), recall .76 (.89). 65 minutes of updates on one core of an AMD EPYC, beside other work.
"""

from experiments.runs.experiment import Experiment
from jaxgen.diffusion import mean_flow
from jaxgen.moving_averages import HalfLife
from jaxgen.nets.dit import DiT
from jaxgen.optimizers import Adam, Optimizer

EXPERIMENT = Experiment(
    model=mean_flow.Config(
        image_shape=(28, 28, 1),
        num_classes=10,
        denoiser=DiT(128, 6, 4, patch=4),
        instant=0.5,
        power=0.75,
        optimizer=Optimizer(1e-3, Adam(b2=0.95), warm_up=200, clip_norm=1.0),
        average=HalfLife(200.0),
    ),
    data="mnist",
    steps=3_000,
    sample_every=500,
    checkpoint_every=500,
    num_samples=100,
)
