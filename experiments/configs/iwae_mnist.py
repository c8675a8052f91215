"""Importance-weighted autoencoder (784-200-200-50, 50 samples) on MNIST, binarised at each step.

python -m experiments.train iwae_mnist --data-dir DIR                  # on CPU cores
python -m experiments.train iwae_mnist --data-dir DIR --steps 400000 \\
    --batch-size 100 --steps-per-call 100                               # on a GPU
"""

from experiments.experiment import Experiment
from jaxgen.autoencoders import vae
from jaxgen.autoencoders.bounds import ImportanceWeighted
from jaxgen.autoencoders.networks import BURDA
from jaxgen.optimizers import Adam

EXPERIMENT = Experiment(
    model=vae.Config(
        latent_dim=50,
        encoder=BURDA.encoder,
        decoder=BURDA.decoder,
        objective=ImportanceWeighted(50),
        optimizer=Adam(1e-3, eps=1e-4),
    ),
    data="mnist",
    steps=5_000,
    batch_size=20,
    sample_every=500,
    checkpoint_every=500,
    pictures=("samples", "reconstructions"),
)
