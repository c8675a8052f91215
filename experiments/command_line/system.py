"""What operating systems do differently, behind one door: locks, signals, memory, files on disk, folders of a user.

Only POSIX systems have `fcntl`, `resource`, SIGHUP and `os.sysconf`, Windows has `msvcrt`, and a file system may lack
what its operating system has. Each function says what it does where the means are missing.
"""

import ctypes
import errno
import importlib
import os
import pathlib
import platform
import signal
import sys
import threading
from collections.abc import Mapping
from typing import Any, TextIO

WITHOUT_LOCKS = frozenset((errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS))
"""Errors of a lock that mean: this file system has none."""

WINDOWS = os.name == "nt"

KEEPS_OPEN_FOLDERS = WINDOWS
"""Whether a folder cannot be renamed while a file in it is open."""


def lock(file: TextIO) -> str | None:
    """Hold a file that is open for writing, until it is closed; why not, in a few words, where no lock can be had.

    BlockingIOError if another process holds it, another OSError for whatever else is wrong.
    """
    fcntl, msvcrt = _module("fcntl"), _module("msvcrt")
    try:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        elif msvcrt is not None:
            _lock_first_byte(msvcrt, file)
        else:
            return "this system has no locks"
    except OSError as error:
        if error.errno in WITHOUT_LOCKS:
            return os.strerror(error.errno or 0)
        raise
    return None


def _lock_first_byte(msvcrt: Any, file: TextIO) -> None:
    file.seek(0)
    try:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EDEADLK):  # what Windows says of a byte that is locked
            raise BlockingIOError(errno.EWOULDBLOCK, os.strerror(errno.EWOULDBLOCK)) from error
        raise


def stop_signals() -> list[int]:
    """Signals that ask this process to end and can be noted here; none in a thread, to which Python gives none.

    SIGHUP only where there is one that is not ignored already (`nohup`).
    """
    if threading.current_thread() is not threading.main_thread():
        return []
    numbers = [signal.SIGINT, signal.SIGTERM]
    hang_up = getattr(signal, "SIGHUP", None)
    if hang_up is not None and signal.getsignal(hang_up) != signal.SIG_IGN:
        numbers.append(hang_up)
    return [number for number in numbers if signal.getsignal(number) is not None]  # None: set by no Python code


def has_lost_its_reader(file: TextIO) -> bool:
    """Whether a file is a pipe that nobody reads any more (`| head`); False where the system cannot tell."""
    select: Any = _module("select")
    if not hasattr(select, "poll"):
        return False
    poll = select.poll()
    try:
        poll.register(file.fileno(), 0)
        return any(events & (select.POLLERR | select.POLLHUP) for _, events in poll.poll(0))
    except (OSError, ValueError):
        return False


def memory_bytes() -> int | None:
    """Of this machine; None where it does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return _memory_of_windows()


def _memory_of_windows() -> int | None:
    library = getattr(ctypes, "windll", None)
    if library is None:
        return None
    status = (ctypes.c_uint64 * 8)()  # MEMORYSTATUSEX: two numbers of 32 bits, then seven of 64, the first the total
    ctypes.cast(status, ctypes.POINTER(ctypes.c_uint32))[0] = ctypes.sizeof(status)
    return int(status[1]) if library.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)) else None


def peak_bytes() -> int | None:
    """The most memory that this process has had; None where the system does not say."""
    resource = _module("resource")
    if resource is None:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def sync(path: pathlib.Path) -> None:
    """Until a file or folder is on disk and not in memory alone; Windows does so for files only."""
    if WINDOWS:
        if path.is_file():
            with path.open("r+b") as file:
                os.fsync(file.fileno())
        return
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP):  # of a file system without it
            raise
    finally:
        os.close(number)


def c_library() -> Any | None:
    """The C library that this process uses; None where it cannot be reached."""
    try:
        return ctypes.CDLL(None)
    except (TypeError, OSError):
        return None


def cache_folder(environment: Mapping[str, str]) -> pathlib.Path | None:
    """Where programs keep what they can make again; None for a user without a home."""
    cache = pathlib.Path(environment.get("XDG_CACHE_HOME") or "")
    if cache.is_absolute():  # as its specification asks
        return cache
    if WINDOWS and environment.get("LOCALAPPDATA"):
        return pathlib.Path(environment["LOCALAPPDATA"])
    home = environment.get("HOME") or (environment.get("USERPROFILE") if WINDOWS else None)
    return pathlib.Path(home) / ".cache" if home else None


def processor_lines() -> list[str]:
    """What the system says of its processor, a line `name : value` for each thing; one line where it says little."""
    try:
        return pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return [platform.processor() or platform.machine()]


def processor() -> str:
    """Name of this machine's processor."""
    lines = processor_lines()
    if len(lines) == 1:
        return lines[0]
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _module(name: str) -> Any | None:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None
