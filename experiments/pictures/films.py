"""Films: frames as an MP4, for which the extra `video` has the encoder, or as a GIF."""

import importlib
import importlib.util
import pathlib
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from experiments.command_line.errors import UserError
from experiments.pictures import figures
from experiments.runs import files

SUFFIXES = (".gif", ".mp4")


def require_encoder(path: pathlib.Path) -> None:
    """UserError where the film is an MP4 and nothing is there to write one."""
    if path.suffix.lower() == ".mp4" and importlib.util.find_spec("imageio_ffmpeg") is None:
        raise UserError("an MP4 needs imageio-ffmpeg: pip install -e '.[video]', or write a .gif")


def save(path: pathlib.Path, frames: Sequence[np.ndarray], per_second: int) -> None:
    """Write frames of (height, width, 3) uint8 as the suffix says, whole or not at all; a GIF loops for ever.

    Sides of an MP4 are even: a last row or column that is missing repeats the one before.
    """
    require_encoder(path)
    if path.suffix.lower() == ".gif":
        figures.save_gif(path, frames, milliseconds=max(20, round(1000 / per_second)))
        return
    ffmpeg: Any = importlib.import_module("imageio_ffmpeg")
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width, _ = frames[0].shape
    odd = ((0, height % 2), (0, width % 2), (0, 0))
    size = (width + width % 2, height + height % 2)
    with files.replacing(path) as unfinished:
        writer = ffmpeg.write_frames(
            str(unfinished), size, fps=per_second, quality=8, macro_block_size=2, output_params=["-f", "mp4"]
        )
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", r"os\.fork\(\) was called", RuntimeWarning)  # JAX's; ffmpeg knows no JAX
            writer.send(None)
        for frame in frames:
            writer.send(np.ascontiguousarray(np.pad(frame, odd, mode="edge")))
        writer.close()
