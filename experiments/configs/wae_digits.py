"""Wasserstein autoencoder (MMD, MLP) on scikit-learn's 8x8 handwritten digits.

python -m experiments.train wae_digits
"""

from experiments.runs.experiment import Experiment
from jaxgen.autoencoders import wae
from jaxgen.nets.mlp import MLP

EXPERIMENT = Experiment(
    model=wae.Config(
        image_shape=(8, 8, 1),
        encoder=MLP((256, 256)),
        decoder=MLP((256, 256)),
        cost_weight=0.5,  # a sum over a twelfth of the pixels that MNIST has, where it is 0.05
    ),
    data="digits",
    batch_size=100,
    steps=5_000,
    steps_per_call=50,
    sample_every=2_500,
    checkpoint_every=2_500,
    pictures=("samples", "reconstructions"),
)
