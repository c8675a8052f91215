"""Memory that is given back after each update has to be fetched again, page by page: a process may keep it instead.

XLA frees the buffers of a CPU program when a call ends. glibc hands large ones to the system at once, which fills each
page with zeros when the next call touches it.
"""

import platform

from experiments.command_line import system

TRIM_THRESHOLD, TOP_PAD, MMAP_MAX = -1, -2, -4
"""Parameters of mallopt(3), from glibc's malloc.h."""

NEVER, AHEAD = 2**31 - 1, 2**26
"""Bytes that may lie free at the heap's end before it shrinks, and by how many it grows at least."""


def keep_freed() -> bool:
    """Let this process keep the memory that it frees, for what it allocates next; whether the C library is glibc."""
    if platform.libc_ver()[0] != "glibc":
        return False
    library = system.c_library()
    settings = ((MMAP_MAX, 0), (TRIM_THRESHOLD, NEVER), (TOP_PAD, AHEAD))
    return library is not None and all(library.mallopt(name, value) for name, value in settings)
