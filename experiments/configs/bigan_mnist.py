"""BiGAN (the authors' permutation-invariant networks, half as wide) on MNIST, prepared by tensorflow-datasets.

python -m experiments.train bigan_mnist --data-dir DIR
python -m experiments.evaluate runs/bigan_mnist

The second command also measures reconstructions, and how far the latents tell the classes apart.

Meant for about half an hour on two cores.
"""

from experiments.runs.experiment import Experiment
from jaxgen.gans import ali
from jaxgen.moving_averages import Exponential
from jaxgen.nets.conditioning import ConcatCondition
from jaxgen.nets.initializers import Normal
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Uniform

NETWORK = MLP((512, 512), norm="batch", affine=False, initializer=Normal(0.02))
ADAM = Optimizer(2e-4, Adam(b1=0.5), weight_decay=2.5e-5)

EXPERIMENT = Experiment(
    model=ali.Config(
        image_shape=(28, 28, 1),
        prior=Uniform(50),
        stochastic=False,
        generator=NETWORK,
        encoder=NETWORK.clone(negative_slope=0.2),
        discriminator=ConcatCondition(NETWORK.clone(negative_slope=0.2)),
        joint=True,
        generator_optimizer=ADAM,
        discriminator_optimizer=ADAM,
        average=Exponential(0.999),
    ),
    data="mnist",
    batch_size=128,
    steps=15_000,
    log_every=100,
    sample_every=1_000,
    checkpoint_every=1_000,
    pictures=("samples", "reconstructions", "codes"),
)
