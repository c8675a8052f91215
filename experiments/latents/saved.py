"""Latents that were found, as a file beside their picture: for another action, and for programs of one's own.

An .npz with `latents`, a row for each image; `space`, z, w, w+ or s; `names`; `labels`, if the model is told classes;
and what else an action says.
"""

import pathlib
from typing import Any

import numpy as np

from experiments.command_line.errors import UserError
from experiments.latents.trained import Trained
from experiments.runs import files


def write(out: pathlib.Path, latents: np.ndarray, space: str, names: tuple[str, ...], **others: Any) -> pathlib.Path:
    """Write the file beside the picture `out`, whole or not at all; what is None is left out."""
    path = out.with_suffix(".npz")
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = {name: value for name, value in others.items() if value is not None}
    with files.replacing(path) as unfinished, unfinished.open("wb") as file:
        np.savez(file, latents=latents, space=np.array(space), names=np.array(names), **kept)
    return path


def read(path: pathlib.Path, run: Trained) -> tuple[tuple[str, ...], np.ndarray, np.ndarray | None]:
    """Names, latents (num, latent) and labels of a file. UserError for one that is none, or of another model."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        latents, space = arrays["latents"].astype(np.float32), str(arrays["space"])
        names = tuple(map(str, arrays["names"]))
    except (OSError, ValueError, KeyError, EOFError, AttributeError) as error:
        raise UserError(f"{path} holds no latents; give a file that latents RUN project has written") from error
    if space != "z":
        raise UserError(f"{path} holds latents of the space {space}; find them with --space z")
    if latents.ndim != 2 or latents.shape[1] != run.latent_dim or len(names) != len(latents):
        raise UserError(
            f"{path} holds latents of shape {latents.shape}; those of this {run.name} have {run.latent_dim}"
        )
    labels = arrays.get("labels")
    if run.conditional and labels is None:
        raise UserError(f"{path} holds no labels, but {run.name} is told classes; give another file")
    return names, latents, labels if run.conditional else None
