"""BEGAN (its networks, narrow) on MNIST, prepared by tensorflow-datasets.

python -m experiments.train began_mnist --data-dir DIR

16 maps in place of 128 and codes of 32 numbers, for 8,000 updates in place of hundreds of thousands: the generator at
four times the rate of the paper, the balance k at twenty times. With gamma .5, both players at 4e-4 and k at the
paper's rate all samples were one grey patch, the same for all latents: k fell back to 0 before it counted.
`convergence` in the log is the paper's measure M.

At step 8,000 (seed 0, 23 minutes on one core of an Intel Xeon, beside other work) M has fallen from .66 to .08, but of
1,000 samples 72.8 % are ones and 16.3 % sevens, the digits whose error is the least. Frechet distance 468 (held out
3.9).
"""

from experiments.runs.experiment import Experiment
from jaxgen.gans import began
from jaxgen.moving_averages import Exponential
from jaxgen.nets.began import BEGANAutoencoder, BEGANDecoder
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Uniform

EXPERIMENT = Experiment(
    model=began.Config(
        image_shape=(28, 28, 1),
        prior=Uniform(32),
        generator=BEGANDecoder(channels=16),
        discriminator=BEGANAutoencoder(channels=16, code_dim=32),
        diversity_ratio=0.7,
        balance_rate=0.02,
        generator_optimizer=Optimizer(4e-4, Adam()),
        discriminator_optimizer=Optimizer(1e-4, Adam()),
        average=Exponential(0.99),
    ),
    data="mnist",
    steps=8_000,
    batch_size=16,
    log_every=100,
    sample_every=1_000,
    checkpoint_every=1_000,
)
