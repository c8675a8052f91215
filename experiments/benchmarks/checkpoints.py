"""How long a checkpoint holds the training up, and takes: `python -m experiments.benchmarks.checkpoints`.

A state of float32 arrays of 4 MB each is saved while nothing else is saved, as in a run. `blocked` is what the training
waits for: the copy to the host. `on disk` ends when checksums are made and every byte has been synced.
"""

import pathlib
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass

from experiments.command_line import cli
from jaxgen.checks import require

LEAF = 1_000_000
"""Floats in an array."""


@dataclass(frozen=True)
class Options:
    """What to save, and how often."""

    megabytes: tuple[int, ...] = (4, 40, 400)  # sizes of the state
    repeats: int = 5  # saves of each size
    folder: pathlib.Path | None = None  # where to write; the system's folder for temporary files if not given

    def __post_init__(self):
        require(all(size >= 4 for size in self.megabytes), "--megabytes", self.megabytes, "at least 4 each")
        require(self.repeats >= 1, "--repeats", self.repeats, "at least 1")


def main(argv: Sequence[str]) -> int:
    """Print a table."""
    options = cli.parse(
        Options, Options(), argv, "python -m experiments.benchmarks.checkpoints", (__doc__ or "").partition("\n")[0]
    )
    import jax

    print(f"jax {jax.__version__}, {jax.devices()[0].device_kind}; median and largest of {options.repeats} saves, ms")
    print(f"{'MB':>6}{'blocked':>20}{'until on disk':>20}{'restore':>12}")
    for megabytes in options.megabytes:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            blocked, written, restored = measure(pathlib.Path(folder), megabytes, options.repeats)
        ms = [f"{statistics.median(times):.1f} ({max(times):.1f})" for times in (blocked, written)]
        print(f"{megabytes:>6}{ms[0]:>20}{ms[1]:>20}{restored:>12.1f}")
    return 0


def measure(folder: pathlib.Path, megabytes: int, repeats: int) -> tuple[list[float], list[float], float]:
    """Milliseconds that each save blocks, and until each is on disk; and those of a restore."""
    import jax
    import jax.numpy as jnp

    from experiments.checkpoints.checkpointer import Checkpointer

    state = {str(index): jnp.full(LEAF, index, jnp.float32) for index in range(megabytes // 4)}
    jax.block_until_ready(state)
    written = []
    with Checkpointer(folder) as checkpointer:
        for step in range(1, repeats + 1):
            start = time.perf_counter()
            checkpointer.save(step, state)
            checkpointer.wait()
            written.append(1e3 * (time.perf_counter() - start))
        start = time.perf_counter()
        jax.block_until_ready(checkpointer.restore(state))
        return checkpointer.blocked_ms, written, 1e3 * (time.perf_counter() - start)


if __name__ == "__main__":
    cli.run(main)
