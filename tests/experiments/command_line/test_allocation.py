"""Memory that is freed and wanted again is not fetched from the system twice, in a process that keeps it."""

import platform
import subprocess
import sys

import pytest

ALLOCATE = """
import ctypes, resource, sys
from experiments.command_line import allocation
if sys.argv[1] == "keep":
    assert allocation.keep_freed()
libc, size = ctypes.CDLL(None), 48 * 2**20
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.argtypes, libc.memset.argtypes = [ctypes.c_void_p], [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
for time in range(6):
    if time == 1:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    place = libc.malloc(size)
    libc.memset(place, 1, size)
    libc.free(place)
print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) * resource.getpagesize() / size)
"""


def fetched_again(mode: str) -> float:
    """How many of five buffers had to be fetched, after the first."""
    done = subprocess.run([sys.executable, "-c", ALLOCATE, mode], capture_output=True, text=True, check=True)
    return float(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_a_process_that_keeps_what_it_frees_fetches_it_once():
    assert fetched_again("keep") < 0.5 < 4 < fetched_again("give back")


def test_another_c_library_is_left_alone(monkeypatch):
    from experiments.command_line import allocation

    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    assert not allocation.keep_freed()
