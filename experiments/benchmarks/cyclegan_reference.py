"""CycleGAN beside its authors' networks and loop: `python -m experiments.benchmarks.cyclegan_reference PATH`.

    pip install -e '.[benchmark]'
    python -m experiments.benchmarks.cyclegan_reference pytorch-CycleGAN-and-pix2pix --size 128 --blocks 6

PATH is a checkout of junyanz/pytorch-CycleGAN-and-pix2pix. Both begin with the same weights and are given the same
random images. First the losses of some updates are printed side by side: while the histories of fakes are not full,
nothing in an update is random, and the losses differ by rounding, which Adam enlarges. Then updates are timed in turn;
a ratio above 1 is faster than theirs.
"""

import functools
import pathlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import jax
import numpy as np
import tyro

from experiments.benchmarks import clock, sizes
from experiments.benchmarks.clock import Clock, Variant
from experiments.benchmarks.rivals import cyclegan as rivals
from experiments.command_line import cli
from experiments.command_line.errors import UserError
from jaxgen import parallel
from jaxgen.batches import Unpaired
from jaxgen.checks import require
from jaxgen.nets.cyclegan import ResNetTranslator
from jaxgen.nets.pix2pix import PatchDiscriminator
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.translation import cyclegan

THEIRS = "authors' PyTorch"
LOSSES = ("generator_loss", "discriminator_loss", "cycle", "identity")


@dataclass(frozen=True)
class Options:
    """What is compared, and for how long."""

    checkout: Annotated[pathlib.Path | None, tyro.conf.Positional] = None  # of junyanz/pytorch-CycleGAN-and-pix2pix
    size: int = 128  # side of the images
    blocks: int = 6  # 6 or 9, residual blocks of a generator
    channels: int = 64  # of the largest maps of all networks
    layers: int = 3  # of the discriminators
    batch_size: int = 1
    updates: int = 10  # whose losses are compared
    per_call: int = 5  # updates in one dispatch of ours
    rounds: int = 5  # alternations of all variants
    seconds: float = 5.0  # of each variant in each round, at least
    clock: Clock = "wall"  # processor: seconds of all threads, whoever else uses the machine

    def __post_init__(self):
        require(self.blocks in (6, 9), "--blocks", self.blocks, "6 or 9, as their generators have them")
        for name in ("size", "channels", "layers", "batch_size", "updates", "per_call", "rounds"):
            require(getattr(self, name) >= 1, f"--{name.replace('_', '-')}", getattr(self, name), "at least 1")


def main(argv: Sequence[str]) -> int:
    """Print losses side by side, then a table of times."""
    prog = "python -m experiments.benchmarks.cyclegan_reference"
    options = cli.parse(Options, Options(), argv, prog, __doc__ or "")
    if options.checkout is None:
        raise UserError("name a checkout of junyanz/pytorch-CycleGAN-and-pix2pix")
    config = config_of(options)
    state = jax.jit(functools.partial(cyclegan.init, config))(jax.random.key(0))
    theirs = rivals.reference(options.checkout, config, state)
    images = np.random.default_rng(0).integers(0, 256, (2, options.batch_size, *config.image_shape), np.uint8)
    for line in losses(config, state, theirs, images, options.updates):
        print(line, flush=True)
    print(f"{theirs.parameters:,} parameters, images of {options.size}x{options.size}, batch {options.batch_size}")
    variants = {THEIRS: Variant(lambda: theirs.update(*_ranged(images)))}
    variants |= clock.by_call(functools.partial(_ours, config, state, images), options.per_call)
    found = clock.compare(variants, THEIRS, rounds=options.rounds, seconds=options.seconds, clock=options.clock)
    print("\n".join(clock.table(found)))
    return 0


def config_of(options: Options) -> cyclegan.Config:
    """The paper's settings, at the options' sizes."""
    adam = Optimizer(2e-4, Adam(b1=0.5))
    return cyclegan.Config(
        image_shape=(options.size, options.size, 3),
        generator=ResNetTranslator(channels=options.channels, blocks=options.blocks),
        discriminator=PatchDiscriminator(channels=options.channels, layers=options.layers, norm="instance"),
        generator_optimizer=adam,
        discriminator_optimizer=adam,
    )


def losses(
    config: cyclegan.Config, state: cyclegan.State, theirs: rivals.Reference, images: np.ndarray, updates: int
) -> list[str]:
    """A table of the losses of both in each update with the same images. ValueError for other numbers of parameters."""
    count = sum(sizes.parameters(state).values())
    if count != theirs.parameters:
        raise ValueError(f"{count} parameters beside {theirs.parameters} of theirs; no fair comparison")
    step = jax.jit(functools.partial(cyclegan.update, config))
    given: Any = images
    lines = [f"{'update':>6}" + "".join(f"{name:>20}{'theirs':>10}" for name in LOSSES)]
    for number in range(1, updates + 1):
        state, metrics = step(state, Unpaired(*given), jax.random.key(number))
        theirs.update(*_ranged(images))
        other = theirs.losses()
        lines.append(f"{number:>6}" + "".join(f"{float(metrics[name]):>20.5f}{other[name]:>10.5f}" for name in LOSSES))
    return lines


def _ranged(images: np.ndarray) -> np.ndarray:
    return images.astype(np.float32) / np.float32(127.5) - 1


def _ours(config: cyclegan.Config, state: cyclegan.State, images: np.ndarray, steps: int | None) -> Variant:
    """Our update as the runner compiles it."""
    step = parallel.jit(cyclegan.update, config, steps=steps, devices=jax.devices()[:1])
    keys = jax.random.key(0) if steps is None else jax.random.split(jax.random.key(0), steps)
    many: Any = images if steps is None else np.repeat(images[:, None], steps, axis=1)
    batch = Unpaired(*many)
    held: list[Any] = [jax.tree.map(lambda leaf: leaf.copy(), state)]  # a call takes its state away

    def run() -> None:
        held[0], _ = step(held[0], batch, keys)
        jax.block_until_ready(held[0])

    return Variant(run, steps or 1)


if __name__ == "__main__":
    cli.run(main)
