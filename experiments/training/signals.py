"""Signals that ask a run to stop: noted, and acted upon between two calls."""

import contextlib
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from experiments.command_line import system

STOPPING = b"stopping after the updates under way, then saving; Ctrl-C again does not wait\n"


class Stop:
    """The signal that has asked the run to stop, 0 for none."""

    signal = 0


@contextmanager
def noted() -> Iterator[Stop]:
    """Note the first SIGINT, SIGTERM or SIGHUP, acted upon after the call under way; a second SIGINT interrupts.

    A SIGHUP that is ignored already (`nohup`) stays so. In a thread, to which Python gives no signals, none is noted.
    """
    stop = Stop()

    def note(number: int, _frame: Any) -> None:
        stop.signal = number
        with contextlib.suppress(OSError):
            os.write(2, STOPPING)  # at once: a print may be interrupted by the signal itself
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = {number: signal.signal(number, note) for number in system.stop_signals()}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
