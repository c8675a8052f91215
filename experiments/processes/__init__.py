"""Several processes that train one run together, on one machine or many: `jax.distributed`, and what it leaves open.

Each process runs the same command. They find each other through a coordinator, which process 0 starts, and speak
through its key-value store, which needs no device. While they train, each sets a number there every second: one whose
number stays the same, or that says it has failed, ends the others, which would wait for it for ever. The first process
alone writes to the folder of the run, but for checkpoints, which all write.
"""

import atexit
import ctypes
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from experiments.command_line.errors import FolderError, UserError

if TYPE_CHECKING:
    from experiments.runs.experiment import Experiment

LOST = 4
"""Exit code of a process that ends because another one is gone."""

PULSE_S = 1.0
WAIT_MS = 24 * 3_600_000
"""For what another process will say: a process that is gone ends the wait, not the time."""


class _Group:
    """The processes of this run; of one alone there is no client."""

    def __init__(self, index: int = 0, count: int = 1, client: Any = None):
        self.index, self.count, self.client = index, count, client
        self.said = 0  # how often this process has taken part in `gather`


_group = [_Group()]


def index() -> int:
    """Of this process, 0 for the first one or the only one."""
    return _group[0].index


def count() -> int:
    """How many processes train together."""
    return _group[0].count


def first() -> bool:
    """Whether this is the process that prints, and writes what all have in common."""
    return index() == 0


def gather(text: str = "") -> list[str]:
    """What each process says here, in their order; all must call it. It waits for them, and needs no device."""
    group = _group[0]
    if group.count == 1:
        return [text]
    group.said += 1
    place = f"jaxgen/said/{group.said}"
    group.client.key_value_set(f"{place}/{group.index}", text)
    return [group.client.blocking_key_value_get(f"{place}/{other}", WAIT_MS) for other in range(group.count)]


@contextmanager
def joined(experiment: "Experiment") -> Iterator[None]:
    """Train together with the other processes, if the experiment says so. An error in here ends them too.

    UserError if they do not find each other.
    """
    if not experiment.distributed:
        yield
        return
    import jax

    client = _connected(experiment)
    _group[0] = group = _Group(jax.process_index(), jax.process_count(), client)
    _exit_on_abort(LOST, f"process 0, which the others meet at, is gone, or JAX failed as it says above; {AGAIN}")
    pulse = _Pulse(group, experiment.heartbeat_timeout)
    try:
        _check_alike()
        yield
    except BaseException as error:
        if _may_be_of_a_loss(error):  # which of them is gone, the pulse will say
            time.sleep(experiment.heartbeat_timeout + 2 * PULSE_S)
        pulse.fail(_exit_code(error), _reason(error))
        raise
    pulse.end()


def _may_be_of_a_loss(error: BaseException | None) -> bool:
    """Whether JAX has failed, or something because of it: a computation with one that is gone does."""
    import jax

    while error is not None and not isinstance(error, jax.errors.JaxRuntimeError):
        error = error.__cause__
    return error is not None


def _connected(experiment: "Experiment") -> Any:
    import jax
    from jax._src import distributed

    where = experiment.coordinator
    timeout = experiment.start_timeout
    if where is not None:
        if experiment.process_id:
            _await_coordinator(where, timeout)
        else:
            _check_port(where)
    _exit_on_abort(2, f"not all processes came within {timeout} s; start each with the same command and its own number")
    # The run handles SIGTERM itself: it stops all processes at one step, and for SIGINT and SIGHUP likewise.
    jax.config.update("jax_enable_preemption_service", False)
    try:
        jax.distributed.initialize(
            where,
            experiment.num_processes,
            experiment.process_id,
            cluster_detection_method=None if where is None else "deactivate",
            initialization_timeout=timeout,
            heartbeat_timeout_seconds=2 * experiment.heartbeat_timeout,
        )
    except Exception as error:  # of many kinds: no cluster, a port that is taken, processes that do not come
        raise UserError(_why_not_connected(experiment, error)) from error
    return distributed.global_state.client


def _await_coordinator(where: str, timeout: int) -> None:
    """UserError unless the coordinator answers in time: JAX itself would abort this process."""
    host, _, port = where.rpartition(":")
    end = time.monotonic() + timeout
    while True:
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=5).close()
            return
        except OSError as error:
            unknown = isinstance(error, socket.gaierror)
            if unknown or time.monotonic() > end:
                raise UserError(
                    f"--coordinator {where} cannot be reached ({error.strerror or 'no answer'})"
                    f"{'' if unknown else f' within {timeout} s'}; it is the process with --process-id 0: give its "
                    "host and a free port of it"
                ) from error
        time.sleep(0.2)


def _check_port(where: str) -> None:
    """UserError unless the coordinator's port is free: JAX itself would crash."""
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("", int(where.rpartition(":")[2])))
    except OSError as error:
        raise UserError(f"--coordinator {where} cannot be used ({error.strerror}); choose a free port") from error


def _why_not_connected(experiment: "Experiment", error: Exception) -> str:
    text = str(error).partition("\n")[0]
    if experiment.coordinator is None:
        return f"--distributed found no cluster ({text}); give --coordinator HOST:PORT --num-processes N --process-id I"
    return f"--coordinator {experiment.coordinator} cannot be used ({text}); give a free port of process 0's host"


def _check_alike() -> None:
    """UserError unless every process has as many devices as the first: each reads an equal share of a batch."""
    import jax

    counts = gather(str(jax.local_device_count()))
    if len(set(counts)) > 1:
        raise UserError(
            f"the processes have {', '.join(counts)} devices, but must have equally many; start them on equal hosts"
        )


class _Pulse:
    """Shows the other processes that this one lives, and ends it when one of them does not. A thread."""

    def __init__(self, group: _Group, timeout: int):
        self._group, self._timeout = group, timeout
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
        while self._group.index == 0 and len(self._read("heard")) < self._group.count - 1 and time.monotonic() < end:
            time.sleep(0.1)
        atexit.register(_leave, code)

    def _stop(self) -> None:
        self._over.set()
        self._thread.join(5 * PULSE_S)

    def _beat(self) -> None:
        try:
            self._listen()
        except Exception:  # of the connection, of many kinds
            _end(LOST, f"process 0, which the others meet at, does not answer; {AGAIN}")

    def _listen(self) -> None:
        number, seen = 0, {}
        while not self._over.wait(PULSE_S):
            number += 1
            self._say("pulse", str(number))
            now, pulses = time.monotonic(), self._read("pulse")
            for other, why in self._read("failed").items():
                self._say("heard", "")
                code, _, what = why.partition(" ")
                _end(int(code), f"process {other} has ended: {what}")
            gone = self._read("left")
            for other in set(range(self._group.count)) - {self._group.index} - gone.keys():
                last, since = seen.get(other, (None, now))
                seen[other] = (pulses.get(other), since if pulses.get(other) == last else now)
                if now - seen[other][1] > self._timeout:
                    _end(
                        LOST,
                        f"process {other} of {self._group.count} has given no sign of life for {self._timeout} s: "
                        f"it was killed, or its host is gone; {AGAIN}",
                    )

    def _say(self, what: str, text: str) -> None:
        self._group.client.key_value_set(f"jaxgen/{what}/{self._group.index}", text, allow_overwrite=True)

    def _read(self, what: str) -> dict[int, str]:
        found = self._group.client.key_value_dir_get(f"jaxgen/{what}/")
        return {int(key.rpartition("/")[2]): text for key, text in found}


AGAIN = "start all processes again, and they go on from the newest checkpoint"


def _exit_on_abort(code: int, why: str) -> None:
    """JAX aborts the process when the coordinator is gone: end with a sentence and a known code in place of a dump.

    Python's own handlers would not run any more; this one is called in the very thread that aborts.
    """
    handler = ctypes.CFUNCTYPE(None, ctypes.c_int)(lambda _: _end(code, why))
    _kept.append(handler)
    ctypes.CDLL(None).signal(int(signal.SIGABRT), handler)


_kept: list[Any] = []


def _end(code: int, why: str) -> None:
    """End this process at once: its main thread may wait for ever for one that is gone."""
    os.write(2, f"error: {why}\n".encode(errors="backslashreplace"))
    os._exit(code)


def _leave(code: int) -> None:
    """Before JAX waits at its own exit for processes that will not come."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


def _exit_code(error: BaseException) -> int:
    """As `cli.run` has it."""
    if isinstance(error, KeyboardInterrupt):
        return 130
    return 3 if isinstance(error, FolderError) else 2 if isinstance(error, UserError) else 1


def _reason(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
