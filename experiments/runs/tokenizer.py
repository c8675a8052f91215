"""The vocabulary with which a run reads captions: kept in its folder, its checksum in config.json."""

import pathlib
import zlib
from typing import Any

from experiments.command_line.errors import UserError
from experiments.data.tokens import FILE, BytePairs
from experiments.runs import files


def keep(folder: pathlib.Path, reader: BytePairs) -> int:
    """Write it to the run's folder; the checksum, for config.json."""
    files.write(folder / FILE, reader.content)
    return reader.checksum


def kept(folder: pathlib.Path, record: dict[str, Any]) -> pathlib.Path | None:
    """The file that `keep` wrote, as config.json (`record`) has it; None of a run that reads bytes.

    UserError if it is missing or changed.
    """
    if "tokenizer" not in record:
        return None
    path = folder / FILE
    try:
        found = zlib.crc32(path.read_bytes())
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}; put it back, or --no-resume") from error
    if found != record["tokenizer"]:
        raise UserError(f"{path} is not the file that the run began with; put it back, or --no-resume")
    return path
