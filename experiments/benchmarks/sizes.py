"""Parameters, arithmetic, memory and speed of the updates of experiments, each compiled as a run compiles it."""

import dataclasses
import functools
import time
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp

from experiments.benchmarks import clock
from experiments.benchmarks.arithmetic import flops
from experiments.runs import experiment
from experiments.runs.experiment import Experiment, model_of
from jaxgen import parallel
from jaxgen.batches import random_batches
from jaxgen.train_state import players

HEAD = ("experiment", "parameters", "batch", "GFLOP", "compile s", "memory MiB", "images/s", "of peak")
WIDTHS = (36, 44, 7, 10, 11, 12, 10, 9)


@dataclasses.dataclass(frozen=True)
class Size:
    """Of one update."""

    players: dict[str, int]  # parameters by the name of the player
    batch_size: int  # m
    flops: int  # of matrix products and convolutions
    compile_seconds: float
    memory_bytes: int  # state, batch and temporaries
    images_per_second: float | None = None  # None where it was not timed


def lines(options: Any) -> Iterator[str]:
    """A head, then a line for each experiment as soon as it is known."""
    peak = options.peak * 1e12 if options.peak else (peak_flops() if options.timed else None)
    if peak:
        yield f"peak: {peak / 1e9:,.0f} GFLOP a second on {jax.devices()[0].device_kind}"
    yield _line(HEAD)
    for name in options.names:
        one = measure(experiment.load(name), options.batch_size, options.seconds if options.timed else None)
        yield _line(_cells(name, one, peak))


def measure(one: Experiment, batch_size: int | None, seconds: float | None) -> Size:
    """Compile an update on one device, and run it for some seconds if they are given."""
    config, size = one.model, batch_size or one.batch_size
    model, state = model_of(config), jax.eval_shape(lambda: model_of(config).init(config, jax.random.key(0)))
    (batch,) = random_batches(config, 1, size * config.minibatches)
    begun = time.perf_counter()
    program = parallel.program(model.update, config, state, batch, devices=jax.devices()[:1])
    compiled = time.perf_counter() - begun
    memory: Any = program.memory_analysis()
    used = memory.argument_size_in_bytes + memory.temp_size_in_bytes
    counted = flops(functools.partial(model.update, config), state, batch, jax.eval_shape(lambda: jax.random.key(0)))
    found = Size(parameters(state), size, counted, compiled, used)
    if seconds is None:
        return found
    rate = size * config.minibatches / _seconds(program, config, batch, seconds)
    return dataclasses.replace(found, images_per_second=rate)


def parameters(state: Any) -> dict[str, int]:
    """Numbers that each player's optimiser trains, by the player's path in the state."""
    return {name: sum(leaf.size for leaf in jax.tree.leaves(one.params)) for name, one in players(state).items()}


def _seconds(program: jax.stages.Compiled, config: Any, batch: Any, seconds: float) -> float:
    """Of an update, on random images."""
    state = [jax.jit(functools.partial(model_of(config).init, config))(jax.random.key(1))]
    key = jax.random.key(0)

    def run() -> None:
        state[0], _ = program(state[0], batch, key)
        jax.block_until_ready(state[0])

    run()
    return clock.seconds_per_update(clock.Variant(run), seconds, clock.CLOCKS["wall"])


def peak_flops(side: int = 2048, repeats: int = 5) -> float:
    """FLOP a second of a product of two square float32 matrices, the best of some."""
    matrix = jnp.ones((side, side), jnp.float32)
    product = jax.jit(jnp.matmul)
    jax.block_until_ready(product(matrix, matrix))
    times = []
    for _ in range(repeats):
        begun = time.perf_counter()
        jax.block_until_ready(product(matrix, matrix))
        times.append(time.perf_counter() - begun)
    return 2 * side**3 / min(times)


def _cells(name: str, one: Size, peak: float | None) -> tuple[str, ...]:
    counts = ", ".join(f"{player} {count:,}" for player, count in one.players.items())
    rate, share = "", ""
    if one.images_per_second is not None:
        rate = f"{one.images_per_second:,.1f}"
    if one.images_per_second is not None and peak:
        share = f"{one.flops / one.batch_size * one.images_per_second / peak:.1%}"
    memory = f"{one.memory_bytes / 2**20:,.0f}"
    return (
        name,
        counts,
        str(one.batch_size),
        f"{one.flops / 1e9:,.2f}",
        f"{one.compile_seconds:.1f}",
        memory,
        rate,
        share,
    )


def _line(cells: tuple[str, ...]) -> str:
    return " ".join(f"{cell:<{width}}" for cell, width in zip(cells, WIDTHS, strict=True)).rstrip()
