"""Command lines from frozen dataclasses (tyro): every field an option, its comment the help, a typo one clear box."""

import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from experiments.experiment import UserError

SettingsT = TypeVar("SettingsT")


def parse(
    kind: Any, default: SettingsT, argv: Sequence[str], prog: str, description: str
) -> SettingsT:
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


def run(main: Callable[[Sequence[str]], int | None]) -> None:
    """Run a command: a UserError becomes one sentence on stderr and exit code 2."""
    try:
        code = main(sys.argv[1:])
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        code = 2
    sys.exit(code or 0)
