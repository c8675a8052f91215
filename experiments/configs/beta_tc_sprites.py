"""beta-TCVAE (convolutional, 10 latents, beta 6) on drawn sprites of known factors, 64x64.

python -m experiments.train beta_tc_sprites
python -m experiments.evaluate runs/beta_tc_sprites --metrics mig factor_vae dci_disentanglement
"""

from experiments.runs.experiment import Experiment
from jaxgen.autoencoders import vae
from jaxgen.autoencoders.aggregate import TotalCorrelation
from jaxgen.autoencoders.networks import KIM_MNIH
from jaxgen.optimizers import Adam, Optimizer

EXPERIMENT = Experiment(
    model=vae.Config(
        image_shape=(64, 64, 1),
        latent_dim=10,
        encoder=KIM_MNIH.encoder,
        decoder=KIM_MNIH.decoder,
        penalty=TotalCorrelation(weight=5.0, num_examples=727_280),
        optimizer=Optimizer(1e-3, Adam()),
    ),
    data="sprites",
    steps=10_000,
    batch_size=128,
    log_every=100,
    sample_every=2_000,
    checkpoint_every=2_000,
    pictures=("samples", "reconstructions"),
)
