"""PixelDA with the authors' networks and batches, from MNIST to MNIST-M, 32x32: for a GPU.

python -m experiments.train pixelda_mnist_m_published --data-dir DIR

The rate falls by a twentieth every 20,000 steps.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.optimizers import Adam, Optimizer, StepDecay
from jaxgen.translation import pixelda

ADAM = Optimizer(1e-3, Adam(b1=0.5), StepDecay(20_000, 0.95), clip_norm=5.0)

EXPERIMENT = Experiment(
    model=pixelda.Config(generator_optimizer=ADAM, discriminator_optimizer=ADAM),
    data="unpaired:mnist,mnist_m_subset",
    images=ImageOptions(size=32, channels=3),
    steps=100_000,
    batch_size=32,
    steps_per_call=100,
    log_every=500,
    sample_every=5_000,
    checkpoint_every=5_000,
    num_samples=48,
)
