"""Lines for the person at the terminal."""

import os
import sys


def show(text: str) -> None:
    """Print a line. A reader that has gone away (`| head`, a closed terminal, a full disk) does not end the run."""
    try:
        print(text, flush=True)
    except OSError:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
