"""What a run costs beside its updates: imports, compiling, start, data, checkpoints, samples, statistics to judge by.

    python -m experiments.benchmark costs

On the digits that are bundled, with the networks of `wgan_gp_digits`, and with those of `dcgan_32` where size counts.
Everything that can be kept from one time to the next (imports, compiled programs) is measured in processes and folders
of its own. Each quantity is measured once, or as a median where it is short.
"""

import functools
import itertools
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import NamedTuple

import jax

from experiments import data
from experiments.benchmarks import checkpoints, clock, metrics, updates
from experiments.benchmarks import data as feeds
from experiments.data.options import ImageOptions, StorageOptions
from experiments.runs.experiment import model_of
from jaxgen import parallel

IMPORTS = ("jax", "jaxgen.losses", "jaxgen.gans.wgan_gp", "experiments.train")
REPEATS = 3


class Cost(NamedTuple):
    """One quantity."""

    value: float
    unit: str  # of the value: s and ms are better low, images/s high


def measure() -> Iterator[tuple[str, Cost]]:
    """Each quantity by name, as soon as it is known."""
    for module in IMPORTS:
        yield f"import {module}", Cost(_import(module), "s")
    for name in ("wgan_gp_digits", "dcgan_32"):
        yield f"compile the update of {name}", Cost(_compile(name), "s")
    with tempfile.TemporaryDirectory() as folder:
        for cache in ("cold", "warm"):
            start = _start(pathlib.Path(folder), cache)
            yield f"start of wgan_gp_digits to step 20, {cache} cache", Cost(start, "s")
    for place, device_bytes in (("host", 0), ("device", 2**40)):
        yield f"feed from the {place}", Cost(_feed(StorageOptions(device_bytes=device_bytes)), "images/s")
    with tempfile.TemporaryDirectory() as folder:
        blocked, written, restored = checkpoints.measure(pathlib.Path(folder), 40, REPEATS)
    yield "checkpoint of 40 MB holds the training up", Cost(statistics.median(blocked), "ms")
    yield "checkpoint of 40 MB until on disk", Cost(statistics.median(written), "ms")
    yield "checkpoint of 40 MB restored", Cost(restored, "ms")
    for name in ("wgan_gp_digits", "dcgan_32"):
        yield f"samples of {name}, 250 a call", Cost(_sampler(name), "images/s")
    draw, distance = metrics.measure(metrics.Options(num=5_000))
    yield "moments of 5,000 x 2048 features, twice", Cost(draw, "s")
    yield "Frechet distance of 2048 features", Cost(distance, "s")


def _import(module: str) -> float:
    """Seconds in a fresh interpreter, the median, files cached by the system; the interpreter's own start left out."""
    code = f"import time; begun = time.perf_counter(); import {module}; print(time.perf_counter() - begun)"
    times = [subprocess.run([sys.executable, "-c", code], capture_output=True, check=True) for _ in range(REPEATS + 1)]
    return statistics.median(float(run.stdout) for run in times[1:])


def _compile(name: str) -> float:
    """Seconds to trace and compile, nothing kept."""
    case = updates.cases()[name]
    state, batch, _ = updates.shapes(case)
    kept = jax.config.jax_enable_compilation_cache  # pyright: ignore[reportAttributeAccessIssue]
    jax.config.update("jax_enable_compilation_cache", False)
    try:
        begun = time.perf_counter()
        parallel.program(model_of(case.config).update, case.config, state, batch, devices=jax.devices()[:1])
        return time.perf_counter() - begun
    finally:
        jax.config.update("jax_enable_compilation_cache", kept)


def _start(folder: pathlib.Path, cache: str) -> float:
    """Seconds from the command until its 20 steps are done, checkpoint and picture included."""
    options = ["--steps", "20", "--out", str(folder / cache), "--compilation-cache", str(folder / "compiled")]
    command = [sys.executable, "-m", "experiments.train", "wgan_gp_digits", *options]
    begun = time.perf_counter()
    subprocess.run(command, capture_output=True, check=True)
    return time.perf_counter() - begun


def _feed(storage: StorageOptions, seconds: float = 1.0) -> float:
    """Images a second, ten batches of 64 a call."""
    image_set = data.load("digits", "train", None, ImageOptions(), storage)
    return feeds.rate(image_set, storage, feeds.Options(seconds=seconds))


def _sampler(name: str, num: int = 250, seconds: float = 1.0) -> float:
    """Images a second."""
    config = updates.cases()[name].config
    model, keys = model_of(config), map(jax.random.key, itertools.count())
    state = jax.jit(functools.partial(model.init, config))(next(keys))
    sample = parallel.compiled(functools.partial(model.sample, config, num=num))

    def run() -> None:
        jax.block_until_ready(sample(state, next(keys)))

    run()
    return 1 / clock.seconds_per_update(clock.Variant(run, num), seconds, clock.CLOCKS["wall"])
