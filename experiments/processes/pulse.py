"""Signs of life: each process sets a number every second, and one whose number stays the same ends the others.

They would wait for it for ever. One that has failed says so, and ends them too. JAX's own heartbeats find a process
that was killed, and abort the others with a dump of the stack; one that has failed, and waits at its exit, they do not.
"""

import atexit
import os
import sys
import threading
import time
from typing import Any

from experiments import processes

LOST = 4
"""Exit code of a process that ends because another one is gone."""

PULSE_S = 1.0
"""Seconds between two signs of life."""

AGAIN = "start all processes again, and they go on from the newest checkpoint"
"""What a person does then."""


class Pulse:
    """Shows the other processes that this one lives, and ends it when one of them does not. A thread."""

    def __init__(self, client: Any, timeout: int):
        self._client, self._timeout = client, timeout
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="pulse", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """This process is done."""
        self._say("left", "")
        self._stop()

    def fail(self, code: int, why: str) -> None:
        """This process ends with `code` because of an error, and without waiting for the others.

        The coordinator lives in process 0, which waits until they have heard of it.
        """
        self._stop()
        self._say("failed", f"{code} {why}")
        end = time.monotonic() + 5 * PULSE_S
        while processes.index() == 0 and len(self._read("heard")) < processes.count() - 1 and time.monotonic() < end:
            time.sleep(0.1)
        atexit.register(_leave, code)

    def _stop(self) -> None:
        self._over.set()
        self._thread.join(5 * PULSE_S)

    def _beat(self) -> None:
        try:
            self._listen()
        except Exception:  # of the connection, of many kinds
            end_process(LOST, f"process 0, which the others meet at, does not answer; {AGAIN}")

    def _listen(self) -> None:
        number, seen = 0, {}
        while not self._over.wait(PULSE_S):
            number += 1
            self._say("pulse", str(number))
            now, pulses = time.monotonic(), self._read("pulse")
            for other, why in self._read("failed").items():
                self._say("heard", "")
                code, _, what = why.partition(" ")
                end_process(int(code), f"process {other} has ended: {what}")
            gone = self._read("left")
            for other in set(range(processes.count())) - {processes.index()} - gone.keys():
                last, since = seen.get(other, (None, now))
                seen[other] = (pulses.get(other), since if pulses.get(other) == last else now)
                if now - seen[other][1] > self._timeout:
                    end_process(
                        LOST,
                        f"process {other} of {processes.count()} has given no sign of life for {self._timeout} s: "
                        f"it was killed, or its host is gone; {AGAIN}",
                    )

    def _say(self, what: str, text: str) -> None:
        self._client.key_value_set(f"jaxgen/{what}/{processes.index()}", text, allow_overwrite=True)

    def _read(self, what: str) -> dict[int, str]:
        found = self._client.key_value_dir_get(f"jaxgen/{what}/")
        return {int(key.rpartition("/")[2]): text for key, text in found}


def end_process(code: int, why: str) -> None:
    """End this process at once: its main thread may wait for ever for one that is gone."""
    os.write(2, f"error: {why}\n".encode(errors="backslashreplace"))
    os._exit(code)


def _leave(code: int) -> None:
    """Before JAX waits at its own exit for processes that will not come."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)
