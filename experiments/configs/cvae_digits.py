"""Conditional VAE (MLP, 8 latents) on scikit-learn's 8x8 handwritten digits: one class a column.

python -m experiments.train cvae_digits
"""

from experiments.runs.experiment import Experiment
from jaxgen.autoencoders import cvae
from jaxgen.nets.conditioning import ConcatCondition
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, Optimizer

EXPERIMENT = Experiment(
    model=cvae.Config(
        image_shape=(8, 8, 1),
        latent_dim=8,
        encoder=ConcatCondition(MLP((256,))),
        decoder=ConcatCondition(MLP((256,))),
        optimizer=Optimizer(1e-3, Adam()),
    ),
    data="digits",
    steps=8_000,
    steps_per_call=50,
    sample_every=4_000,
    checkpoint_every=4_000,
    num_samples=100,
    pictures=("samples", "reconstructions"),
)
