"""Runs of tiny models on the digits, two steps long: what commands on a finished run are tried on."""

import pathlib

from experiments import runner
from experiments.experiment import Experiment
from jaxgen.autoencoders import cvae, vae, vq_vae
from jaxgen.gans import wgan_gp
from jaxgen.nets.conditioning import Beside
from jaxgen.nets.mlp import MLP
from jaxgen.nets.pixelcnn import PixelCNN

NET, DECODER = MLP((8,)), MLP((8,))
SHAPE = (8, 8, 1)

GAN = wgan_gp.Config(image_shape=SHAPE, latent_dim=3, generator=NET, critic=NET, critic_steps=1)
WIDE = vae.Config(image_shape=SHAPE, latent_dim=12, encoder=NET, decoder=DECODER)
PLANE = cvae.Config(image_shape=SHAPE, latent_dim=2, encoder=Beside(NET), decoder=Beside(DECODER))
SYMBOLS = vq_vae.Config(
    image_shape=SHAPE,
    num_codes=4,
    code_dim=2,
    halvings=2,
    encoder=NET,
    decoder=DECODER,
    prior=PixelCNN(channels=3, layers=1),
)


def train(model, folder: pathlib.Path, **settings) -> pathlib.Path:
    """The folder of a run of two steps."""
    short = {"steps": 2, "batch_size": 8, "steps_per_call": 2, "num_samples": 20, "pictures": ()}
    name = "cvae_mnist" if isinstance(model, cvae.Config) else "vae_digits"
    assert runner.train(name, Experiment(model=model, data="digits", **(short | settings)), folder) == 0
    return folder
