"""Get a data set once: `python -m experiments.prepare NAME [--data-dir DIR]`; `--list` names some sets.

Whatever tensorflow-datasets knows by NAME is downloaded, checked against its checksums and prepared as array_record;
many sets need TensorFlow for that, once (`pip install -e '.[prepare]'`), none needs it to be read.
`quickdraw:CATEGORY` needs one file alone. Without a network this ends within seconds and says what to fetch, from
where, and where to put it.
"""

import pathlib
from collections.abc import Sequence
from dataclasses import dataclass

from experiments.command_line import cli
from experiments.command_line.errors import UserError
from experiments.data import known, preparation
from experiments.data.request import Request


@dataclass(frozen=True)
class Options:
    """Where to put it."""

    data_dir: pathlib.Path | None = None  # where prepared data sets lie; $TFDS_DATA_DIR if not given


def main(argv: Sequence[str]) -> int:
    """Prepare one set, or list some."""
    if not argv or argv[0] == "--list":
        if not argv:
            print("usage: python -m experiments.prepare NAME [--data-dir DIR]\n")
        print("\n".join(known.lines()))
        print("\nand every other image set of tensorflow-datasets; SET:CLASS trains on one class of any of them")
        return 0
    name, *options = argv
    if name.startswith("-") and name not in ("-h", "--help"):
        raise UserError(f"the name of a set comes first, before {name}")
    chosen = cli.parse(
        Options,
        Options(),
        ["--help"] if name.startswith("-") else options,
        prog="python -m experiments.prepare NAME",
        description=(__doc__ or "").partition("\n")[0],
    )
    print(preparation.prepare(name, Request(data_dir=chosen.data_dir).folder))
    return 0


if __name__ == "__main__":
    cli.run(main)
