"""Where orbax fails, its other tasks end on a closed event loop; their complaints are not for a person."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

ABOUT = "Event loop is closed"


@contextmanager
def closed_loops() -> Iterator[None]:
    """Errors that tasks and threads raise for a closed event loop, which no code can catch, are not printed."""
    unraisable, in_thread = sys.unraisablehook, threading.excepthook

    def unraisable_hook(error: Any) -> None:
        if ABOUT not in str(error.exc_value):
            unraisable(error)

    def thread_hook(error: Any) -> None:
        if ABOUT not in str(error.exc_value):
            in_thread(error)

    sys.unraisablehook, threading.excepthook = unraisable_hook, thread_hook
    try:
        yield
    finally:
        sys.unraisablehook, threading.excepthook = unraisable, in_thread
