"""Command lines from frozen dataclasses (tyro): every field an option, its comment the help, a typo one clear box.

A setting that can be of several kinds takes the name of one: `experiments.command_line.choices`.
"""

import io
import logging
import os
import pathlib
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from experiments.command_line import allocation, choices, quiet, system
from experiments.command_line.errors import FolderError, UserError

SettingsT = TypeVar("SettingsT")


def parse(kind: Any, default: SettingsT, argv: Sequence[str], prog: str, description: str) -> SettingsT:
    """`default`, of type `kind`, with the options of `argv` put in; a typo exits with code 2 and the nearest option."""
    import tyro

    _refuse_empty(argv)
    default, rest = choices.chosen(default, argv)
    try:
        return tyro.cli(
            kind,
            default=default,
            args=rest,
            prog=prog,
            description=description,
            config=(tyro.conf.AvoidSubcommands,),
        )
    except SystemExit:
        if {"-h", "--help"} & set(rest):
            print(*choices.help_lines(default), sep="\n")
        raise


def _refuse_empty(argv: Sequence[str]) -> None:
    """UserError for an empty value, a shell variable that is not set for one: as a path it would mean this folder."""
    if "" in argv:
        before = argv[argv.index("") - 1] if argv.index("") else "the first option"
        raise UserError(f"the value of {before} is empty; give one, or leave the option out")


def run_folder(argv: Sequence[str]) -> tuple[pathlib.Path | None, list[str]]:
    """The folder of a run, which comes first, and the options after it; None to ask for the usage alone."""
    if not argv:
        return None, []
    if argv[0] in ("-h", "--help"):
        return pathlib.Path(), ["--help"]
    if not argv[0]:
        raise UserError("the folder of a run comes first, but it is empty")
    if argv[0].startswith("-"):
        raise UserError(f"the folder of a run comes first, before {argv[0]}")
    return pathlib.Path(argv[0]), list(argv[1:])


def run(main: Callable[[Sequence[str]], int | None]) -> None:
    """Run a command: a UserError becomes one sentence on stderr and exit code 2, a FolderError 3."""
    allocation.keep_freed()
    for name in ("absl", "asyncio", "concurrent.futures"):  # what orbax and array_record cause there
        logging.getLogger(name).setLevel(logging.CRITICAL)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a path that the terminal's encoding lacks
    with quiet.closed_loops():
        sys.exit(_code(main) or 0)


def _code(main: Callable[[Sequence[str]], int | None]) -> int | None:
    try:
        code = main(sys.argv[1:])
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        if not system.has_lost_its_reader(sys.stdout):
            raise
        with open(os.devnull, "w", encoding="utf-8") as nowhere:  # for what is still to be written
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
        return 0
    except FolderError as error:
        print(f"error: {error}", file=sys.stderr)
        return 3
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
