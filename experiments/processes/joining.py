"""How the processes of a run find each other, through `jax.distributed`, and what it leaves open."""

import ctypes
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from experiments import processes
from experiments.command_line import system
from experiments.command_line.errors import FolderError, UserError
from experiments.processes.pulse import AGAIN, LOST, PULSE_S, Pulse, end_process

if TYPE_CHECKING:
    from experiments.runs.experiment import Experiment


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
    processes.join(jax.process_index(), jax.process_count(), client)
    _exit_on_abort(LOST, f"process 0, which the others meet at, is gone, or JAX failed as it says above; {AGAIN}")
    pulse = Pulse(client, experiment.heartbeat_timeout)
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

    counts = processes.gather(str(jax.local_device_count()))
    if len(set(counts)) > 1:
        raise UserError(
            f"the processes have {', '.join(counts)} devices, but must have equally many; start them on equal hosts"
        )


def _exit_on_abort(code: int, why: str) -> None:
    """JAX aborts the process when the coordinator is gone: end with a sentence and a known code in place of a dump.

    Python's own handlers would not run any more; this one is called in the very thread that aborts.
    """
    handler = ctypes.CFUNCTYPE(None, ctypes.c_int)(lambda _: end_process(code, why))
    _kept.append(handler)
    library = system.c_library()
    if library is not None:
        library.signal(int(signal.SIGABRT), handler)


_kept: list[Any] = []


def _exit_code(error: BaseException) -> int:
    """As `cli.run` has it."""
    if isinstance(error, KeyboardInterrupt):
        return 130
    return 3 if isinstance(error, FolderError) else 2 if isinstance(error, UserError) else 1


def _reason(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
