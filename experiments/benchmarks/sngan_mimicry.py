"""SNGAN beside mimicry's networks and steps: `python -m experiments.benchmarks.sngan_mimicry CHECKOUT`.

    pip install -e '.[benchmark]'
    python -m experiments.benchmarks.sngan_mimicry mimicry --data-dir DIR

CHECKOUT is one of kwotsin/mimicry. Both train on the same images in the same order: residual networks for 32x32 with
spectral normalisation, the hinge loss, Adam whose rate falls to 0, several steps of the discriminator for each of the
generator. Blocks of updates alternate. Printed after each are the seconds of an update (median of the blocks so far,
the first left out: it compiles) and the losses; at the end the Frechet distances of both in the same features, beside
that of held-out images, with running statistics and without a moving average.

The networks have equal numbers of parameters and differ in one thing: theirs enlarge maps by bilinear interpolation,
ours, as the paper's code, by the nearest pixel. Ours judge real and fake examples in one batch, with one step of the
power method for both; theirs in two. The published widths are 256 and 128.

On a machine that others load, compare the work of one core: `taskset -c 0 python -m ... --clock processor`.
"""

import dataclasses
import pathlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import tyro

from experiments import data
from experiments.benchmarks import blocks, updates
from experiments.benchmarks.blocks import Blocks
from experiments.benchmarks.clock import CLOCKS, Clock
from experiments.benchmarks.rivals import mimicry
from experiments.command_line import cli
from experiments.command_line.errors import UserError
from experiments.evaluation import extractors, sets
from experiments.evaluation.extractors import Cache, Extractor
from experiments.evaluation.sets import Examples, Real
from experiments.models import sampling
from experiments.runs import experiment
from jaxgen import metrics
from jaxgen.checks import require
from jaxgen.gans import gan
from jaxgen.images import to_pixels
from jaxgen.nets.resnet import ResNetCritic, ResNetGenerator
from jaxgen.nets.spectral import Spectral
from jaxgen.optimizers import LinearDecay

SHAPE = (32, 32, 3)


@dataclass(frozen=True)
class Options:
    """What is compared, on what, and for how long."""

    checkout: Annotated[pathlib.Path | None, tyro.conf.Positional] = None  # of kwotsin/mimicry
    data: str = "cifar10"  # images of 32x32 in colours
    data_dir: pathlib.Path | None = None  # where prepared data sets lie; $TFDS_DATA_DIR if not given
    blocks: int = 8
    block: int = 50  # updates
    batch_size: int = 64
    discriminator_steps: int = 5  # for each of the generator
    generator_channels: int = 32  # 256 as published
    discriminator_channels: int = 32  # 128 as published
    num_samples: int = 2_000  # of each, at the end
    extractor: str = "pca"  # pixels, pca, classifier, inception:FILE
    seed: int = 0  # of the batches, the noise and the weights
    clock: Clock = "wall"  # processor: seconds of all threads, whoever else uses the machine

    def __post_init__(self):
        counts = "blocks", "block", "batch_size", "discriminator_steps", "generator_channels", "discriminator_channels"
        for name in counts:
            require(getattr(self, name) >= 1, f"--{name.replace('_', '-')}", getattr(self, name), "at least 1")
        require(self.num_samples >= 2, "--num-samples", self.num_samples, "at least 2")

    @property
    def updates(self) -> int:
        """Of each, in all."""
        return self.blocks * self.block


class Training(NamedTuple):
    """One of the two."""

    block: Callable[[np.ndarray], None]  # updates with batches (updates, batch, 32, 32, 3), uint8
    samples: Callable[[int], np.ndarray]  # uint8
    losses: Callable[[], dict[str, float]]  # of the last update


def main(argv: Sequence[str]) -> int:
    """Train and print a table."""
    prog = "python -m experiments.benchmarks.sngan_mimicry"
    options = cli.parse(Options, Options(), argv, prog, __doc__ or "")
    if options.checkout is None:
        raise UserError("name a checkout of kwotsin/mimicry")
    config = config_of(options)
    theirs = mimicry.reference(options.checkout, config, options.updates, options.seed)
    real = Real(*(data.load(options.data, split, options.data_dir) for split in ("train", "test")))
    if real.train.image_shape != SHAPE:
        raise UserError(f"--data {options.data} has images of {real.train.image_shape}, but must have {SHAPE}")
    extractors.check((options.extractor,), real)
    trainings = {"mimicry": _theirs(theirs, config), "jaxgen": _ours(config, options.seed, theirs.parameters)}
    print(f"{theirs.parameters:,} parameters, batch {options.batch_size}, {options.updates:,} updates")
    seconds = _train(trainings, real, options)
    print(f"ratio of the medians: {seconds['mimicry'] / seconds['jaxgen']:.2f}, above 1 is faster than theirs")
    for line in _distances(trainings, real, options):
        print(line, flush=True)
    return 0


def config_of(options: Options) -> gan.Config:
    """The published experiment at the options' sizes, with the last bias that theirs has."""
    found = experiment.load("sngan_resnet_cifar10").model
    steps = options.discriminator_steps
    rates = {"generator_optimizer": options.updates, "discriminator_optimizer": steps * options.updates}
    optimizers = {
        name: dataclasses.replace(getattr(found, name), schedule=LinearDecay(end)) for name, end in rates.items()
    }
    return dataclasses.replace(
        found,
        generator=ResNetGenerator((options.generator_channels,) * 4),
        discriminator=Spectral(ResNetCritic(options.discriminator_channels, pool="sum")),
        discriminator_steps=steps,
        **optimizers,
    )


def _train(trainings: Mapping[str, Training], real: Real, options: Options) -> dict[str, float]:
    """The median seconds of an update of each; prints a line a block."""
    generator, now = np.random.default_rng(options.seed), CLOCKS[options.clock]
    size, times = options.batch_size * options.discriminator_steps, {name: [] for name in trainings}
    head = ("s/update", "D loss", "G loss")
    print(f"{'updates':>9}" + "".join(f"{f'{name} {what}':>18}" for name in trainings for what in head))
    for number in range(1, options.blocks + 1):
        places = generator.integers(0, len(real.train), (options.block, size))
        batches = np.asarray(real.train.batch(places.ravel())).reshape(*places.shape, *SHAPE)
        cells = []
        for name, training in trainings.items():
            begun = now()
            training.block(batches)
            times[name].append((now() - begun) / options.block)
            losses = training.losses()
            cells += [blocks.seconds_per_update(times[name]), losses["discriminator_loss"], losses["generator_loss"]]
        print(f"{number * options.block:>9}" + "".join(f"{cell:>18.4f}" for cell in cells), flush=True)
    return {name: blocks.seconds_per_update(found) for name, found in times.items()}


def _distances(trainings: Mapping[str, Training], real: Real, options: Options) -> list[str]:
    """Frechet distances of held-out images and of the samples of both to the training images."""
    extractor = extractors.make(options.extractor, real, Cache())
    among = sets.spread(real.train, 10_000).pixels
    reference = _moments(extractor, among)
    lines = [f"Frechet distance to {len(among):,} training images, {options.num_samples:,} samples; {extractor.about}"]
    assert real.test is not None
    found = {"held out": sets.spread(real.test, options.num_samples).pixels}
    found |= {name: training.samples(options.num_samples) for name, training in trainings.items()}
    for name, pixels in found.items():
        distance = jax.jit(metrics.frechet_distance)(reference, _moments(extractor, pixels))
        lines.append(f"{name:>10}: {float(distance):.3f}")
    return lines


def _moments(extractor: Extractor, pixels: np.ndarray) -> Any:
    return jax.jit(metrics.moments)(extractor(Examples(pixels)).features)


def _ours(config: gan.Config, seed: int, parameters: int) -> Training:
    """ValueError for another number of parameters than theirs."""
    count = updates.parameters(config)
    if count != parameters:
        raise ValueError(f"{count} parameters beside {parameters} of theirs; no fair comparison")
    block = Blocks(config, seed)

    def losses() -> dict[str, float]:
        return {name: float(np.asarray(values).ravel()[-1]) for name, values in block.metrics.items()}

    return Training(block, lambda num: sampling.drawer(config)(block.state, num, seed), losses)


def _theirs(theirs: mimicry.Reference, config: gan.Config) -> Training:
    def block(batches: np.ndarray) -> None:
        steps = config.discriminator_steps
        for batch in batches:  # the same minibatches as `parallel.split` makes
            ranged = batch.astype(np.float32) / np.float32(127.5) - 1
            theirs.update(np.stack([ranged[step::steps] for step in range(steps)]))

    def samples(num: int) -> np.ndarray:
        return np.asarray(to_pixels(jnp.asarray(theirs.samples(num)), config.value_range))

    return Training(block, samples, theirs.losses)


if __name__ == "__main__":
    cli.run(main)
