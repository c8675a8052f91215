"""Latent encoder of WGAN-GP on scikit-learn's 8x8 handwritten digits: which latents an image has.

python -m experiments.train latent_encoder_digits --pretrained generator=runs/wgan_gp_digits:ema
python -m experiments.latents runs/latent_encoder_digits project --images test:0,1,2,3
"""

from experiments.configs.wgan_gp_digits import EXPERIMENT as WGAN_GP
from experiments.runs.experiment import Experiment
from jaxgen.gans import latent_encoder, wgan_gp
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, Optimizer

GAME: wgan_gp.Config = WGAN_GP.model

EXPERIMENT = Experiment(
    model=latent_encoder.Config(
        image_shape=GAME.image_shape,
        value_range=GAME.value_range,
        prior=GAME.prior,
        generator=GAME.generator,
        encoder=MLP((256, 256, 256)),
        image_weight=10.0,
        optimizer=Optimizer(1e-3, Adam()),
    ),
    data="digits",
    steps=6_000,
    steps_per_call=20,
    pictures=("reconstructions",),
)
