"""FactorVAE (convolutional, 10 latents, gamma 35) on drawn sprites of known factors, 64x64.

python -m experiments.train factor_vae_sprites
python -m experiments.evaluate runs/factor_vae_sprites --metrics mig factor_vae dci_disentanglement

The paper trains for 300,000 updates; 20,000 with ten times the autoencoder's rate show how the terms move.
"""

from experiments.runs.experiment import Experiment
from jaxgen.autoencoders import factor_vae
from jaxgen.optimizers import Adam, Optimizer

EXPERIMENT = Experiment(
    model=factor_vae.Config(optimizer=Optimizer(1e-3, Adam())),
    data="sprites",
    steps=20_000,
    batch_size=64,
    log_every=100,
    sample_every=2_000,
    checkpoint_every=2_000,
    pictures=("samples", "reconstructions"),
)
