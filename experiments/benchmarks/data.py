"""Images a second of each way that data reaches a step: `python -m experiments.benchmarks.data --data-dir DIR`.

One line for each set and place: how long loading took, and how many images a second the feed then hands over, ten
batches of 64 a call, each call's batches waited for. `host` gathers by NumPy from memory, `device` by XLA from the
devices, `disk` reads array_record or files ahead of time by several threads; `windows` also cuts at random and mirrors.
"""

import dataclasses
import pathlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from experiments import data
from experiments.command_line import cli
from experiments.data.options import ImageOptions, StorageOptions
from jaxgen.checks import require

PLACES = {
    "host": StorageOptions(device_bytes=0),
    "device": StorageOptions(device_bytes=2**40),
    "disk": StorageOptions(host_bytes=0),
}
WINDOWS = {"as stored": ImageOptions(), "windows": ImageOptions(crop="random", pad=2, flip=True)}


@dataclass(frozen=True)
class Options:
    """What to measure."""

    data_dir: pathlib.Path | None = None  # where prepared data sets lie; $TFDS_DATA_DIR if not given
    sets: tuple[str, ...] = ("mnist", "tiny_imagenet_subset")  # names of sets, as --data takes them
    size: int | None = None  # side of the images after resizing; as they are if not given
    batch_size: int = 64  # images in a batch
    steps_per_call: int = 10  # batches in a call
    seconds: float = 3.0  # to measure each line for, after one call that is not counted
    threads: int = 4  # that read and decode

    def __post_init__(self):
        for name in ("batch_size", "steps_per_call", "threads"):
            require(getattr(self, name) >= 1, f"--{name.replace('_', '-')}", getattr(self, name), "at least 1")


def main(argv: Sequence[str]) -> int:
    """Print a table."""
    options = cli.parse(
        Options,
        Options(),
        argv,
        prog="python -m experiments.benchmarks.data",
        description=(__doc__ or "").partition("\n")[0],
    )
    print(f"{'set':<28}{'place':<9}{'images':<11}{'loaded in':>10}{'images/s':>12}", flush=True)
    for name in options.sets:
        for place, storage in PLACES.items():
            for how, images in WINDOWS.items():
                print(f"{name:<28}{place:<9}{how:<11}{_line(name, storage, images, options)}", flush=True)
    return 0


def _line(name: str, storage: StorageOptions, images: ImageOptions, options: Options) -> str:
    storage = dataclasses.replace(storage, threads=options.threads)
    images = dataclasses.replace(images, size=options.size)
    began = time.monotonic()
    image_set = data.load(name, "train", options.data_dir, images, storage)
    loaded = time.monotonic() - began
    return f"{loaded:>9.2f}s{rate(image_set, storage, options):>12,.0f}"


def rate(image_set: Any, storage: StorageOptions, options: Options) -> float:
    """Images a second of a feed."""
    from experiments.data import feeds
    from experiments.data.order import Position

    with feeds.opened(image_set, None, 0, Position(0, 0, options.batch_size), storage) as feed:
        calls = _calls(feed, options.steps_per_call)
        next(calls)
        num, began = 0, time.monotonic()
        while time.monotonic() - began < options.seconds:
            num += next(calls)
        return num / (time.monotonic() - began)


def _calls(feed: Any, count: int) -> Iterator[int]:
    """Number of images of one call after another."""
    import jax

    step = 0
    while True:
        batches = jax.block_until_ready(feed(step, count))
        yield batches.shape[0] * batches.shape[1]
        step += count


if __name__ == "__main__":
    cli.run(main)
