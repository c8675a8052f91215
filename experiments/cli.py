"""Command lines from frozen dataclasses (tyro): every field an option, its comment the help, a typo one clear box."""

import io
import logging
import pathlib
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from experiments.experiment import UserError
from experiments.files import FolderError

SettingsT = TypeVar("SettingsT")


def parse(kind: Any, default: SettingsT, argv: Sequence[str], prog: str, description: str) -> SettingsT:
    """`default`, of type `kind`, with the options of `argv` put in; a typo exits with code 2 and the nearest option."""
    import tyro

    return tyro.cli(
        kind,
        default=default,
        args=list(argv),
        prog=prog,
        description=description,
        config=(tyro.conf.AvoidSubcommands,),
    )


def run_folder(argv: Sequence[str]) -> tuple[pathlib.Path | None, list[str]]:
    """The folder of a run, which comes first, and the options after it; None to ask for the usage alone."""
    if not argv:
        return None, []
    if argv[0] in ("-h", "--help"):
        return pathlib.Path(), ["--help"]
    if argv[0].startswith("-"):
        raise UserError(f"the folder of a run comes first, before {argv[0]}")
    return pathlib.Path(argv[0]), list(argv[1:])


def run(main: Callable[[Sequence[str]], int | None]) -> None:
    """Run a command: a UserError becomes one sentence on stderr and exit code 2, a FolderError 3."""
    logging.getLogger("absl").setLevel(logging.CRITICAL)  # what orbax and array_record note there is not for a person
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a path that the terminal's encoding lacks
    try:
        code = main(sys.argv[1:])
    except FolderError as error:
        print(f"error: {error}", file=sys.stderr)
        code = 3
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        code = 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        code = 130
    sys.exit(code or 0)
