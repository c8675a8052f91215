"""Lines for the person at the terminal."""

import contextvars
import os
import sys

NAME = contextvars.ContextVar("NAME", default="")
"""Of the run that this thread shows, before each of its lines, where several train side by side."""


def show(text: str) -> None:
    """Print a line. A reader that has gone away (`| head`, a closed terminal, a full disk) does not end the run."""
    try:
        print(f"{NAME.get()}: {text}\n" if NAME.get() else f"{text}\n", end="", flush=True)  # whole, among threads
    except OSError:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
