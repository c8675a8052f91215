"""What only some systems have, hidden one thing at a time and all at once."""

import errno
import os
import pathlib
import signal
import subprocess
import sys
import threading
import types

import pytest

from experiments.command_line import system
from experiments.command_line.errors import UserError
from experiments.models import sampling
from experiments.runs import files, run_folder
from experiments.training import signals
from tests.experiments import small_runs

ROOT = pathlib.Path(__file__).parents[3]
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in (ROOT / "experiments").rglob("*.py")
)

WITHOUT_POSIX = """
import importlib, os, signal, sys
import jax, matplotlib.pyplot, orbax.checkpoint, sklearn.datasets, tensorflow_datasets  # which look for themselves
sys.modules |= {"fcntl": None, "resource": None, "pwd": None, "termios": None}
del signal.SIGHUP, os.sysconf, os.sched_getaffinity, os.fork
for name in sys.argv[1:]: importlib.import_module(name)
"""


@pytest.mark.exhaustive
def test_every_module_of_the_commands_imports_where_posix_is_missing():
    done = subprocess.run([sys.executable, "-c", WITHOUT_POSIX, *MODULES], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


POSIX = ("fcntl", "msvcrt", "import resource", "signal.SIGHUP", "os.sysconf", "os.fork", "sched_", "/proc/", "CDLL")


def test_one_file_alone_asks_the_system_what_it_has():
    for path in (ROOT / "experiments").rglob("*.py"):
        found = [word for word in POSIX if word in path.read_text(encoding="utf-8")]
        assert path.name == "system.py" or not found, f"{path}: {found}"


@pytest.fixture
def no_posix(monkeypatch):
    """Neither locks nor limits, SIGHUP nor sysconf."""
    for name in ("fcntl", "msvcrt", "resource"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delattr(signal, "SIGHUP")
    monkeypatch.delattr(os, "sysconf")


def test_a_run_trains_where_posix_is_missing_and_says_that_nothing_is_locked(no_posix, tmp_path, capsys):
    small_runs.train("vae_digits", small_runs.WIDE, tmp_path / "run")
    assert (
        "cannot be locked (this system has no locks), so nothing keeps a second process out" in capsys.readouterr().out
    )
    assert system.memory_bytes() is None
    assert system.peak_bytes() is None
    sampling.require_memory("--num", 10**18, (1,))
    with signals.noted() as stop:
        assert stop.signal == 0


def refusing(number):
    """`fcntl` of a file system whose locks fail with that error."""

    def flock(file, how):
        raise OSError(number, os.strerror(number))

    return types.SimpleNamespace(flock=flock, LOCK_EX=2, LOCK_NB=4)


@pytest.mark.parametrize("name", ["ENOLCK", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"])
def test_a_file_system_without_locks_is_said_to_have_none(name, monkeypatch, tmp_path):
    number = getattr(errno, name)
    monkeypatch.setitem(sys.modules, "fcntl", refusing(number))
    with run_folder.locked(tmp_path) as hold:
        assert hold.unlocked == os.strerror(number)
        hold.check()


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("EWOULDBLOCK", "another process trains in"),
        ("EAGAIN", "another process trains in"),
        ("EIO", r"cannot lock .*\.lock: Input/output error; choose another --out"),
        ("EACCES", r"cannot lock .*\.lock: Permission denied"),
        ("EINTR", r"cannot lock .*\.lock: Interrupted"),
    ],
)
def test_a_lock_that_fails_is_told_by_its_cause(name, says, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "fcntl", refusing(getattr(errno, name)))
    with pytest.raises(UserError, match=says), run_folder.locked(tmp_path):
        pass


@pytest.mark.parametrize("number", [None, errno.EACCES, errno.EDEADLK, errno.EIO])
def test_windows_locks_the_first_byte(number, monkeypatch, tmp_path):
    locked = []

    def locking(descriptor, mode, size):
        locked.append((os.lseek(descriptor, 0, os.SEEK_CUR), mode, size))
        if number is not None:
            raise OSError(number, os.strerror(number))

    monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.setitem(sys.modules, "msvcrt", types.SimpleNamespace(locking=locking, LK_NBLCK=2))
    with (tmp_path / ".lock").open("a") as file:
        if number is None:
            assert system.lock(file) is None
        else:
            with pytest.raises(OSError) as error:
                system.lock(file)
            assert isinstance(error.value, BlockingIOError) == (number != errno.EIO)
    assert locked == [(0, 2, 1)]


def test_a_folder_whose_files_are_open_is_renamed_after_its_lock_is_given_back(monkeypatch, tmp_path):
    monkeypatch.setattr(system, "KEEPS_OPEN_FOLDERS", True)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text("{}")
    assert run_folder.move_aside(tmp_path / "run") == tmp_path / "run.1"
    assert (tmp_path / "run.1" / "config.json").exists()


def in_thread(function, *arguments):
    """What a function gives in a thread, or its error."""
    found = []

    def call():
        try:
            found.append(function(*arguments))
        except BaseException as error:
            found.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    if isinstance(found[0], BaseException):
        raise found[0]
    return found[0]


def test_a_run_trains_in_a_thread_and_leaves_signals_alone(tmp_path):
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    folder = in_thread(small_runs.train, "vae_digits", small_runs.WIDE, tmp_path / "run")
    assert (folder / "checkpoints" / "2").is_dir()
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_handler_that_python_did_not_set_is_left_alone(monkeypatch):
    monkeypatch.setattr(signal, "getsignal", lambda number: None)
    assert system.stop_signals() == []


@pytest.mark.parametrize(
    ("environment", "windows", "wanted"),
    [
        ({"HOME": "/home/a"}, False, "/home/a/.cache"),
        ({"HOME": "/home/a", "XDG_CACHE_HOME": "/var/c"}, False, "/var/c"),
        ({"HOME": "/home/a", "XDG_CACHE_HOME": "relative"}, False, "/home/a/.cache"),
        ({"USERPROFILE": "/users/a"}, False, None),
        ({"USERPROFILE": "/users/a"}, True, "/users/a/.cache"),
        ({"USERPROFILE": "/users/a", "LOCALAPPDATA": "/users/a/local"}, True, "/users/a/local"),
        ({}, True, None),
    ],
)
def test_the_folder_of_the_users_cache(environment, windows, wanted, monkeypatch):
    monkeypatch.setattr(system, "WINDOWS", windows)
    assert system.cache_folder(environment) == (wanted and pathlib.Path(wanted))


def test_files_are_brought_to_disk_on_windows_too(monkeypatch, tmp_path):
    monkeypatch.setattr(system, "WINDOWS", True)
    files.write(tmp_path / "sub.json", "{}")
    files.sync(tmp_path)
    assert (tmp_path / "sub.json").read_text() == "{}"


def test_the_memory_of_this_machine_is_more_than_this_process_has_had():
    assert 0 < system.peak_bytes() < system.memory_bytes()


def test_a_signal_is_answered_at_once(capfd):
    with signals.noted() as stop:
        signal.raise_signal(signal.SIGTERM)
        assert stop.signal == signal.SIGTERM
        assert capfd.readouterr().err == signals.STOPPING.decode()
