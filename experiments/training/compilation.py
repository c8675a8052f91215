"""Compiled programs, kept for the next start in a folder of the user's cache."""

import os
import pathlib
import platform
import zlib
from collections.abc import Mapping

from experiments.command_line import system
from experiments.command_line.errors import UserError

OFF = "off"

MIN_SECONDS = 0.1
"""What compiles faster is not worth a file."""


def keep(option: str | None) -> None:
    """Let JAX keep what it compiles where `--compilation-cache` says.

    UserError if that folder cannot be written to; the usual one is then done without.
    """
    import jax

    if option == OFF:
        jax.config.update("jax_enable_compilation_cache", False)
        return
    folder = place(option, os.environ)
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(13, os.strerror(13))
    except OSError as error:
        if option is None:
            return
        raise UserError(
            f"--compilation-cache {option} cannot be written to: {error.strerror}; give another folder, or off"
        ) from error
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", MIN_SECONDS)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def place(option: str | None, environment: Mapping[str, str]) -> pathlib.Path | None:
    """The folder of `option`, or the user's; None where JAX's own variable names one, or there is no home.

    Hosts that share a home may have other processors, which cannot run each other's programs: each kind has a folder.
    """
    if option is not None:
        return pathlib.Path(option)
    if environment.get("JAX_COMPILATION_CACHE_DIR"):
        return None
    cache = system.cache_folder(environment)
    return None if cache is None else cache / "jaxgen" / f"compiled-{_processor()}"


def _processor() -> str:
    """A name for what this machine's processor can do."""
    told = system.processor_lines()
    lines = sorted({line for line in told if line.startswith(("flags", "Features", "model name"))})
    return f"{platform.machine()}-{zlib.crc32(' '.join(lines or told).encode()):08x}"
