"""Adversarial autoencoder (MLP) on scikit-learn's 8x8 handwritten digits.

python -m experiments.train aae_digits
"""

from experiments.runs.experiment import Experiment
from jaxgen.autoencoders import aae
from jaxgen.nets.mlp import MLP

EXPERIMENT = Experiment(
    model=aae.Config(
        image_shape=(8, 8, 1),
        encoder=MLP((256, 256)),
        decoder=MLP((256, 256)),
        discriminator=MLP((256, 256)),
    ),
    data="digits",
    batch_size=100,
    steps=6_000,
    steps_per_call=50,
    sample_every=3_000,
    checkpoint_every=3_000,
    pictures=("samples", "reconstructions"),
)
