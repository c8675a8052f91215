"""Flax's VAE example trained three times side by side: as Flax has it, in PyTorch, and here.

    pip install -e '.[benchmark]'
    python -m experiments.benchmarks.vae_mnist --data-dir DIR

784-500-20, Adam at 1e-3, batches of 128, MNIST's first 50,000 images, each binarised once and the same for all three.
Epochs alternate: all three do the first, then all the second. Printed are the seconds of an epoch (median) and, after
the last, -ELBO of the 10,000 test images with one latent each, in nats for each image.
"""

import contextlib
import dataclasses
import functools
import itertools
import pathlib
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import jax
import numpy as np

from experiments import data
from experiments.benchmarks import clock
from experiments.benchmarks.rivals import vae as rivals
from experiments.command_line import cli
from experiments.data import feeds
from experiments.data.images import ImageSet
from experiments.data.options import StorageOptions
from experiments.data.order import Position
from experiments.runs import experiment
from jaxgen import parallel
from jaxgen.autoencoders import vae
from jaxgen.autoencoders.likelihoods import Bernoulli
from jaxgen.checks import require

NUM_TRAIN = 50_000
PER_CALL = 10
"""Updates that we do in one dispatch."""


@dataclass(frozen=True)
class Options:
    """What to train on, and for how long."""

    data_dir: pathlib.Path | None = None  # where prepared data sets lie; $TFDS_DATA_DIR if not given
    epochs: int = 10  # of 390 updates
    batch_size: int = 128
    seed: int = 0  # of the pixels, the order and the weights
    torch: bool = True  # train PyTorch's too

    def __post_init__(self):
        for name in ("epochs", "batch_size"):
            require(getattr(self, name) >= 1, f"--{name.replace('_', '-')}", getattr(self, name), "at least 1")


class Training(NamedTuple):
    """One of those trained."""

    epoch: Callable[[int], None]  # the epoch of that number
    loss: Callable[[], float]  # on the test images


def main(argv: Sequence[str]) -> int:
    """Train and print a table."""
    options = cli.parse(Options, Options(), argv, "python -m experiments.benchmarks.vae_mnist", __doc__ or "")
    train, test = (_binary(split, options) for split in ("train", "test"))
    config = dataclasses.replace(experiment.load("vae_mnist").model, likelihood=Bernoulli("never"))
    with contextlib.ExitStack() as opened:
        trainings = {
            "Flax's example": _with_batches(rivals.in_flax(config), train, test, options),
            "jaxgen": opened.enter_context(_ours(config, train, test, options)),
        }
        if options.torch:
            trainings["PyTorch, eager"] = _with_batches(rivals.in_torch(config), train, test, options)
        seconds = [
            {name: clock.seconds(functools.partial(each.epoch, epoch)) for name, each in trainings.items()}
            for epoch in range(options.epochs)
        ]
        print(f"{'':<18}{'s/epoch':>9}{'-ELBO, test':>13}")
        for name, training in trainings.items():
            median = statistics.median(row[name] for row in seconds[1:] or seconds)  # the first one compiles
            print(f"{name:<18}{median:>9.2f}{training.loss():>13.2f}", flush=True)
    return 0


def _binary(split: str, options: Options) -> ImageSet:
    """MNIST's first 50,000 images with each pixel 0 or 255, white with the probability of its grey level."""
    grey = data.load("mnist", split, options.data_dir)
    images = np.asarray(grey.images)[:NUM_TRAIN]
    noise = np.random.default_rng((options.seed, len(images))).random(images.shape)
    return dataclasses.replace(grey, images=np.where(noise < images / 255, np.uint8(255), np.uint8(0)), labels=None)


def _with_batches(trainer: rivals.Trainer, train: ImageSet, test: ImageSet, options: Options) -> Training:
    """The usual loop: a new order in each epoch, batches of rows gathered by NumPy."""
    rows, test_rows = ((np.asarray(each.images) / np.float32(255)).reshape(len(each), -1) for each in (train, test))

    def epoch(number: int) -> None:
        order = np.random.default_rng((options.seed, number)).permutation(len(rows))
        for first in range(0, len(rows) - options.batch_size + 1, options.batch_size):
            trainer.step(rows[order[first : first + options.batch_size]])

    return Training(epoch, lambda: trainer.loss(test_rows))


@contextlib.contextmanager
def _ours(config: vae.Config, train: ImageSet, test: ImageSet, options: Options) -> Iterator[Training]:
    """What the runner does, without pictures and checkpoints."""
    key_init, key_steps, key_test = jax.random.split(jax.random.key(options.seed), 3)
    state = [jax.jit(functools.partial(vae.init, config))(key_init)]
    steps = len(train) // options.batch_size
    calls = [PER_CALL] * (steps // PER_CALL) + [steps % PER_CALL] * bool(steps % PER_CALL)
    drivers = {count: parallel.jit(vae.update, config, steps=count) for count in set(calls)}

    with feeds.opened(train, None, options.seed, Position(0, 0, options.batch_size), StorageOptions()) as feed:

        def epoch(number: int) -> None:
            firsts = itertools.accumulate(calls, initial=number * steps)
            for first, count in zip(firsts, calls, strict=False):
                keys = jax.vmap(functools.partial(jax.random.fold_in, key_steps))(np.arange(first, first + count))
                state[0], _ = drivers[count](state[0], feed(first, count), keys)
            jax.block_until_ready(state[0])

        def loss() -> float:
            found = jax.jit(lambda state, images: vae.evidence(config, state, images, key_test, (1, 1)))
            return float(np.mean(sum(found(state[0], np.asarray(test.images))[:2])))

        yield Training(epoch, loss)


if __name__ == "__main__":
    cli.run(main)
