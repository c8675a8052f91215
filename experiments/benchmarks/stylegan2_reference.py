"""StyleGAN 2 beside its authors' networks and losses: `python -m experiments.benchmarks.stylegan2_reference PATH`.

    pip install -e '.[benchmark]'
    python -m experiments.benchmarks.stylegan2_reference stylegan2-ada-pytorch --size 64

PATH is a checkout of NVlabs/stylegan2-ada-pytorch, which off CUDA takes its reference paths in plain PyTorch. Both are
of one size, with the same number of parameters, and are given the same random images. What is timed are cycles of
updates in which every lazy penalty is taken as often as in training: with the defaults, 16 steps of each player down
its loss, four down the path lengths and one down the slope. Times are those of one update, the mean over a cycle; a
ratio above 1 is faster than theirs.
"""

import functools
import math
import pathlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import jax
import numpy as np
import tyro

from experiments.benchmarks import clock, sizes
from experiments.benchmarks.clock import Clock, Variant
from experiments.benchmarks.rivals import stylegan2 as rivals
from experiments.command_line import cli
from experiments.command_line.errors import UserError
from jaxgen import parallel
from jaxgen.checks import require
from jaxgen.gans import stylegan2
from jaxgen.moving_averages import Constant
from jaxgen.nets.mapping import Mapping
from jaxgen.nets.stylegan2 import StyleGAN2Discriminator, StyleGAN2Synthesis
from jaxgen.priors import Normal

THEIRS = "authors' PyTorch"
REPOSITORY = "NVlabs/stylegan2-ada-pytorch"


@dataclass(frozen=True)
class Options:
    """What is compared, and for how long."""

    checkout: Annotated[pathlib.Path | None, tyro.conf.Positional] = None  # of NVlabs/stylegan2-ada-pytorch
    size: int = 64  # side of the images, a power of two
    channel_base: int = 2048  # channels of a map times its side
    channel_max: int = 128  # channels of a map, at most
    latent_dim: int = 128  # of z and of w
    mapping_layers: int = 8
    batch_size: int = 8
    scan: bool = True  # time a whole cycle in one dispatch of ours, too
    rounds: int = 5  # alternations of all variants
    seconds: float = 5.0  # of each variant in each round, at least; a cycle is not cut
    clock: Clock = "wall"  # processor: seconds of all threads, whoever else uses the machine

    def __post_init__(self):
        power = self.size >= 8 and self.size & (self.size - 1) == 0
        require(power, "--size", self.size, "a power of two from 8 on, as theirs")
        require(self.channel_base >= self.size, "--channel-base", self.channel_base, f"at least {self.size}, --size")
        for name in ("channel_max", "latent_dim", "mapping_layers", "rounds"):
            require(getattr(self, name) >= 1, f"--{name.replace('_', '-')}", getattr(self, name), "at least 1")
        whole = self.batch_size >= 4 and self.batch_size % 4 == 0
        require(whole, "--batch-size", self.batch_size, "a multiple of 4, the group of a standard deviation")


def main(argv: Sequence[str]) -> int:
    """Print sizes and the time of the first calls, then a table of times."""
    options = cli.parse(Options, Options(), argv, "python -m experiments.benchmarks.stylegan2_reference", __doc__ or "")
    if options.checkout is None:
        raise UserError(f"name a checkout of {REPOSITORY}")
    config = config_of(options)
    theirs = rivals.reference(options.checkout, config)
    counts = same_parameters(config, theirs)
    size = f"images of {options.size}x{options.size}, batch {options.batch_size}"
    print(
        f"parameters: {counts[0]:,} generator, {counts[1]:,} discriminator; {size}, cycles of {cycle(config)} updates"
    )
    images = np.random.default_rng(0).integers(0, 256, (options.batch_size, *config.image_shape), np.uint8)
    variants = {THEIRS: _theirs(config, theirs, images)}
    variants |= clock.by_call(functools.partial(_ours, config, images), cycle(config) if options.scan else None)
    for name, variant in variants.items():
        print(f"{name}: first cycle {clock.seconds(variant.run):.1f} s", flush=True)
    found = clock.compare(variants, THEIRS, rounds=options.rounds, seconds=options.seconds, clock=options.clock)
    print("\n".join(clock.table(found)))
    return 0


def config_of(options: Options) -> stylegan2.Config:
    """The paper's settings, at the options' sizes, with a moving average of constant decay."""
    widths = options.channel_base, options.channel_max
    return stylegan2.Config(
        image_shape=(options.size, options.size, 3),
        prior=Normal(options.latent_dim),
        mapping=Mapping(options.mapping_layers, options.latent_dim, scaled_activation=True),
        synthesis=StyleGAN2Synthesis(*widths),
        discriminator=StyleGAN2Discriminator(*widths),
        average=Constant(0.999),
    )


def cycle(config: stylegan2.Config) -> int:
    """Updates after which every penalty has been taken as often as in a long training."""
    return math.lcm(config.path_length.every, config.r1.every)


def same_parameters(config: stylegan2.Config, theirs: rivals.Reference) -> tuple[int, int]:
    """Of generator and discriminator. ValueError where theirs have others."""
    state = jax.eval_shape(functools.partial(stylegan2.init, config), jax.random.key(0))
    counts = sizes.parameters(state)
    ours = counts["generator"], counts["discriminator"]
    if ours != (theirs.generator, theirs.discriminator):
        raise ValueError(f"{ours} parameters beside {theirs.generator, theirs.discriminator}; no fair comparison")
    return ours


def _theirs(config: stylegan2.Config, theirs: rivals.Reference, images: np.ndarray) -> Variant:
    num = cycle(config)

    def run() -> None:
        for _ in range(num):
            theirs.update(images.astype(np.float32) / np.float32(127.5) - 1)

    return Variant(run, num)


def _ours(config: stylegan2.Config, images: np.ndarray, steps: int | None) -> Variant:
    """Our update as the runner compiles it, for one cycle in each run."""
    num = cycle(config)
    step = parallel.jit(stylegan2.update, config, steps=steps, devices=jax.devices()[:1])
    keys = jax.random.key(0) if steps is None else jax.random.split(jax.random.key(0), steps)
    batch = images if steps is None else np.repeat(images[None], steps, axis=0)
    held = [jax.jit(functools.partial(stylegan2.init, config))(jax.random.key(0))]  # a call takes its state away

    def run() -> None:
        for _ in range(num if steps is None else 1):
            held[0], _ = step(held[0], batch, keys)
        jax.block_until_ready(held[0])

    return Variant(run, num)


if __name__ == "__main__":
    cli.run(main)
