"""What is noted of each start of a run: when, by which command, with which program, versions and devices."""

import os
import pathlib
import platform
import subprocess
import sys
import time
from importlib import metadata
from typing import Any

import jaxgen
from experiments.command_line import system

PACKAGES = ("jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "numpy")


def session(step: int) -> dict[str, Any]:
    """Of a run that begins or goes on at `step`."""
    import jax

    return {
        "from_step": step,
        "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "command": sys.argv[1:],
        "commit": commit(),
        "python": platform.python_version(),
        "versions": {"jaxgen": jaxgen.__version__} | {name: metadata.version(name) for name in PACKAGES},
        "devices": [str(device) for device in jax.devices()],
        "processes": jax.process_count(),
        "platform": f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPU cores",
        "processor": system.processor(),
    }


def commit(folder: pathlib.Path = pathlib.Path(__file__).parent) -> str | None:
    """The commit that the program is of, with a + where files differ from it; None outside of a git repository."""
    try:
        head = _git(folder, "rev-parse", "--short=12", "HEAD")
        return head + "+" if _git(folder, "status", "--porcelain", "--untracked-files=no") else head
    except (OSError, subprocess.SubprocessError):
        return None


def _git(folder: pathlib.Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, check=True, text=True, timeout=10).stdout.strip()
