"""Runs of tiny models on the digits: what commands on a finished run are tried on."""

import pathlib

import jax
import numpy as np

from experiments.runs import frozen, restore, run_folder
from experiments.runs.experiment import Experiment
from experiments.training import runner
from jaxgen.autoencoders import cvae, vae, vq_vae
from jaxgen.diffusion import ddpm, flow_matching
from jaxgen.diffusion.samplers import DDIM, Euler
from jaxgen.diffusion.schedules import LinearBetas
from jaxgen.gans import stylegan2, wgan_gp
from jaxgen.nets.conditioning import ConcatCondition
from jaxgen.nets.mapping import Mapping
from jaxgen.nets.mlp import MLP
from jaxgen.nets.pixelcnn import PixelCNN
from jaxgen.nets.stylegan2 import StyleGAN2Discriminator, StyleGAN2Synthesis
from jaxgen.nets.time_mlp import TimeMLP
from jaxgen.priors import Normal

NET, DECODER = MLP((8,)), MLP((8,))
SHAPE = (8, 8, 1)

GAN = wgan_gp.Config(image_shape=SHAPE, latent_dim=3, generator=NET, critic=NET, critic_steps=1)
WIDE = vae.Config(image_shape=SHAPE, latent_dim=12, encoder=NET, decoder=DECODER)
PLANE = cvae.Config(image_shape=SHAPE, latent_dim=2, encoder=ConcatCondition(NET), decoder=ConcatCondition(DECODER))
SYMBOLS = vq_vae.Config(
    image_shape=SHAPE,
    num_codes=4,
    code_dim=2,
    halvings=2,
    encoder=NET,
    decoder=DECODER,
    prior=PixelCNN(channels=3, layers=1),
)
STYLED = stylegan2.Config(
    image_shape=SHAPE,
    prior=Normal(3),
    mapping=Mapping(1, 4, lr_multiplier=1.0, scaled_activation=True),
    synthesis=StyleGAN2Synthesis(16, 2),
    discriminator=StyleGAN2Discriminator(16, 2),
)
DENOISER = ddpm.Config(
    image_shape=SHAPE,
    num_classes=10,
    denoiser=TimeMLP(8, 1, num_features=4),
    schedule=LinearBetas(10),
    sampler=DDIM(3),
)
"""Of classes, told by its network."""
POINTS = flow_matching.Config(
    image_shape=(2,), value_range=None, denoiser=TimeMLP(8, 1, num_features=4), sampler=Euler(3)
)


def _experiment(model, **settings):
    short = {"steps": 2, "batch_size": 8, "steps_per_call": 2, "num_samples": 20, "pictures": ()}
    return Experiment(model=model, **({"data": "digits"} | short | settings))


def train(name: str, model, folder: pathlib.Path, **settings) -> pathlib.Path:
    """The folder of a run of two steps."""
    assert runner.train(name, _experiment(model, **settings), folder) == 0
    return folder


def save(model, folder: pathlib.Path, seed: int = 0, **settings) -> pathlib.Path:
    """The folder of a run whose checkpoint of step 2 has random weights: nothing is compiled for it."""
    experiment, generator = _experiment(model, **settings), np.random.default_rng(seed)

    def fill(leaf):
        floats = np.issubdtype(leaf.dtype, np.floating)
        return (
            0.4 * generator.normal(size=leaf.shape).astype(leaf.dtype) if floats else np.zeros(leaf.shape, leaf.dtype)
        )

    state = jax.tree.map(fill, restore.abstract_state(experiment))
    parts = frozen.parts(state)
    with run_folder.locked(folder):
        run_folder.begin(folder, "vae_digits", experiment)
        if parts:
            kept = frozen.keep(folder, {name: part.variables for name, part in parts.items()})
            run_folder.record_frozen(folder, kept)
        with restore.checkpointer(folder, experiment) as checkpointer:
            checkpointer.save(2, frozen.without(state))
    return folder
