"""GANs of a well-known package and ours, each trained for the same minutes on MNIST and judged by the same judge.

    pip install -e '.[benchmark]'
    taskset -c 0 python -m experiments.benchmarks.peers --data-dir DIR

Theirs are the networks, losses and steps of eriklindernoren/PyTorch-GAN, written anew (`rivals.pytorch_gan`); ours are
the experiments of the table below, as `experiments.train` has them. Of the two the one that has used less time trains
the next 20 updates, until both have used theirs; what the compiler takes counts. A line a seed has the updates of both,
and of 2,000 samples after the last one the share that the classifier recognises (p >= 0.9), the distance of class
shares, the Frechet distance in the classifier's features, and the share of the class that was asked for. Last stands
the difference of the shares that are recognised, or that are as asked where a class is, with its interval of 95 %:
never worse means that it reaches 0.
"""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from experiments import data
from experiments.benchmarks import equal_time, judge
from experiments.benchmarks.blocks import Blocks
from experiments.benchmarks.equal_time import EqualTime
from experiments.benchmarks.judge import Judge, Verdict
from experiments.benchmarks.rivals import pytorch_gan
from experiments.command_line import cli
from experiments.data.images import ImageSet
from experiments.models import abilities, classes, sampling
from experiments.runs import experiment
from jaxgen.batches import Labelled
from jaxgen.checks import require

BLOCK = 20
"""Updates before the clocks are compared again."""
EXPERIMENTS = {
    "gan": "gan_mnist",
    "dcgan": "dcgan_mnist",
    "wgan_gp": "wgan_gp_mnist",
    "cgan": "cgan_mnist",
    "acgan": "acgan_mnist",
    "infogan": "infogan_mnist",
}
"""Of their models, our experiment."""


@dataclass(frozen=True)
class Options(EqualTime):
    """What is trained, and for how long."""

    models: tuple[str, ...] = tuple(EXPERIMENTS)  # of those that both have
    minutes: float = 10.0  # of each side and model
    num_samples: int = 2_000  # of each side

    def __post_init__(self):
        super().__post_init__()
        self.require_known(EXPERIMENTS)
        require(self.num_samples >= 2, "--num-samples", self.num_samples, "at least 2")


class Training(NamedTuple):
    """One of the two."""

    block: Callable[[int], None]  # updates with the n-th images of its own
    draw: Callable[[int], tuple[np.ndarray, np.ndarray | None]]  # how many: uint8 images, classes asked for


def main(argv: Sequence[str]) -> int:
    """Train and print a table, a line as soon as it is known."""
    options = cli.parse(Options, Options(), argv, "python -m experiments.benchmarks.peers", __doc__ or "")
    pytorch_gan.require_installed()
    train, test = (data.load("mnist", split, options.data_dir) for split in ("train", "test"))
    judged, described = judge.of(train, test)
    print(described)
    for line in lines(train, judged, options):
        print(line, flush=True)
    return 0


def lines(train: ImageSet, judged: Judge, options: Options) -> Iterator[str]:
    """The table."""
    heads = [f"{side} {what}" for what in ("updates", *COLUMNS) for side in ("theirs", "ours")]
    yield f"{'':<10}{'seed':>5}" + "".join(f"{head:>19}" for head in heads) + "  difference"
    for name in options.models:
        for seed in options.seeds:
            both = theirs(name, train, seed), ours(EXPERIMENTS[name], train, seed)
            done = equal_time.train([training.block for training in both], lambda number: number, options)
            found = [judged(*training.draw(options.num_samples)) for training in both]
            yield row(name, seed, [BLOCK * count for count in done], found)


COLUMNS: dict[str, Callable[[Verdict], str]] = {
    "recognised": lambda verdict: f"{verdict.recognised.mean():.1%}",
    "class shares": lambda verdict: f"{verdict.shares:.3f}",
    "Frechet": lambda verdict: f"{verdict.distance:.1f}",
    "as asked": lambda verdict: "" if verdict.as_asked is None else f"{verdict.as_asked.mean():.1%}",
}


def row(name: str, seed: int, updates: Sequence[int], found: Sequence[Verdict]) -> str:
    """A line of the table."""
    cells = [f"{count:,}" for count in updates]
    cells += [column(verdict) for column in COLUMNS.values() for verdict in found]
    first, second = (verdict.recognised for verdict in found)
    if found[0].as_asked is not None and found[1].as_asked is not None:
        first, second = found[0].as_asked, found[1].as_asked
    low, high = equal_time.interval(first, second)
    difference = f"  {(low + high) / 2:+.1%} [{low:+.1%}, {high:+.1%}]"
    return f"{name:<10}{seed:>5}" + "".join(f"{cell:>19}" for cell in cells) + difference


def theirs(name: str, train: ImageSet, seed: int) -> Training:
    """A model of the package."""
    peer = pytorch_gan.reference(name, seed)
    return Training(lambda number: peer.block(*_chosen(train, pytorch_gan.BATCH, seed, number)), peer.draw)


def ours(name: str, train: ImageSet, seed: int) -> Training:
    """An experiment."""
    found = experiment.load(name)
    config: Any = dataclasses.replace(found.model, image_shape=train.image_shape)
    training, size = Blocks(config, seed), found.batch_size * config.minibatches
    labels = classes.in_turn(config) if abilities.has_classes(config) else None

    def block(number: int) -> None:
        images, given = _chosen(train, size, seed, number)
        training(Labelled(jnp.asarray(images), jnp.asarray(given)) if labels else images)

    def draw(num: int) -> tuple[np.ndarray, np.ndarray | None]:
        images = sampling.drawer(config)(training.state, num, seed)
        return images, None if labels is None else labels(np.arange(num))

    return Training(block, draw)


def _chosen(train: ImageSet, size: int, seed: int, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Images (updates, size, ...) and labels of the n-th block."""
    places = equal_time.places(seed, number, (BLOCK, size), len(train))
    return np.asarray(train.images)[places], np.asarray(train.labels)[places].astype(np.int32)


if __name__ == "__main__":
    cli.run(main)
