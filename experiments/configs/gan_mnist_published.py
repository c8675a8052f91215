"""GAN (Goodfellow's MLP and maxout networks) on MNIST, prepared by tensorflow-datasets.

python -m experiments.train gan_mnist_published --data-dir DIR

The published setting: latents uniform with unit variance, dropout in the discriminator, steepest descent
with momentum; `gan_mnist` is made for a processor.
"""

from experiments.runs.experiment import Experiment
from jaxgen.gans import gan

EXPERIMENT = Experiment(
    model=gan.Config(),
    data="mnist",
    batch_size=100,
    steps=50_000,
    sample_every=2_500,
    checkpoint_every=2_500,
)
