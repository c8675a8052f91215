"""Autoencoder (MLP, 10 codes) on scikit-learn's 8x8 handwritten digits.

python -m experiments.train ae_digits
"""

from experiments.runs.experiment import Experiment
from jaxgen.autoencoders import autoencoder
from jaxgen.autoencoders.networks import mirrored

EXPERIMENT = Experiment(
    model=autoencoder.Config(
        image_shape=(8, 8, 1),
        latent_dim=10,
        encoder=mirrored(256).encoder,
        decoder=mirrored(256).decoder,
    ),
    data="digits",
    steps=5_000,
    steps_per_call=50,
    sample_every=2_500,
    checkpoint_every=2_500,
    pictures=("samples", "reconstructions"),
)
