"""Conditional GAN (the paper's perceptrons, narrower) on MNIST.

python -m experiments.train cgan_mlp_mnist --data-dir DIR

For a processor: half or less of the units, dropout in the discriminator alone, Adam, and samples from a moving average
of the generator; `cgan_mlp_mnist_published` is the published setting.
"""

from experiments.experiment import Experiment
from jaxgen.gans import cgan
from jaxgen.gans.discrimination import Discrimination, InstanceNoise
from jaxgen.gans.objectives import NonSaturating
from jaxgen.gans.priors import Uniform
from jaxgen.nets.conditional_mlp import ConditionalMLPDiscriminator, ConditionalMLPGenerator
from jaxgen.optimizers import Adam

EXPERIMENT = Experiment(
    model=cgan.Config(
        prior=Uniform(100, limit=3**0.5),
        generator=ConditionalMLPGenerator(100, 200, 400, dropout=0.0),
        discriminator=ConditionalMLPDiscriminator(120, 50, 120, pieces=3, joint_pieces=3),
        objective=NonSaturating(smoothing=0.1),
        view=Discrimination(noise=InstanceNoise(0.3)),
        generator_optimizer=Adam(5e-4, b1=0.5),
        discriminator_optimizer=Adam(2e-4, b1=0.5),
        ema_decay=0.999,
    ),
    data="mnist",
    steps=20_000,
    steps_per_call=50,
    log_every=500,
    sample_every=2_500,
    checkpoint_every=2_500,
    num_samples=100,
)
