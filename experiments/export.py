"""Export a run for others: `python -m experiments.export RUN --out FOLDER`.

The folder holds the weights (safetensors), the settings (JSON), what the model can do as programs that need jax alone,
and a model card. With `--as heightmap` it is one sample as a 16-bit grey picture instead. docs/export.md tells how each
file is loaded.
"""

import pathlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import tyro

from experiments.command_line import cli
from experiments.command_line.checks import require_seed, require_step
from experiments.command_line.errors import UserError
from experiments.models import samplers
from jaxgen.checks import require


@dataclass(frozen=True)
class Options:
    """What to export, and where to."""

    out: pathlib.Path | None = None  # folder to write, new or empty; with --as heightmap also FILE.png
    kind: Annotated[Literal["model", "heightmap"], tyro.conf.arg(name="as")] = "model"  # all files, or one sample
    step: int | Literal["newest", "best"] = "newest"  # whose checkpoint: the newest, the best, or a step's own
    seed: int = 0  # of the samples in the card's picture, or of the height map
    index: int = 0  # of the sample that becomes a height map

    def __post_init__(self):
        require_seed(self.seed)
        require(0 <= self.index < 2**31, "--index", self.index, "in [0, 2^31)")
        require_step(self.step)


def main(argv: Sequence[str]) -> int:
    """Write a folder, or one PNG."""
    folder, options = cli.run_folder(argv)
    if folder is None:
        print("usage: python -m experiments.export RUN --out FOLDER [options]")
        return 0
    chosen, changes = samplers.parse(
        Options(),
        folder,
        options,
        prog="python -m experiments.export RUN",
        description=(__doc__ or "").partition("\n")[0],
    )
    if chosen.out is None:
        raise UserError(f"say where to: python -m experiments.export {folder} --out FOLDER")
    from experiments.exports import folder as files
    from experiments.exports import heightmap

    if chosen.kind == "heightmap":
        path = heightmap.write(folder, chosen.step, changes, (chosen.seed, chosen.index), chosen.out)
        print(f"wrote sample {chosen.index} of seed {chosen.seed} to {path}")
        return 0
    step, told = files.write(folder, chosen.step, changes, chosen.out, chosen.seed)
    print(*told, sep="\n", end="\n" if told else "")
    print(f"wrote the model of step {step:,} to {chosen.out}; its card, README.md, waits for a licence")
    return 0


if __name__ == "__main__":
    cli.run(main)
