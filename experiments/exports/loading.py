"""An exported folder, read back: `config, state = loading.load("FOLDER")`."""

import json
import os
import pathlib
from typing import Any

from experiments.exports import weights
from experiments.runs import settings

CONFIG = "config.json"


def load(folder: str | os.PathLike[str]) -> tuple[Any, Any]:
    """The model's settings and its state, on this process's first device; optimisers are as they begin.

    ValueError, in one sentence, if a file cannot be read, or if weights and settings do not fit each other: which
    arrays are missing, are not the model's, or have another shape or type.
    """
    place = pathlib.Path(folder)
    config = _config(place / CONFIG)
    return config, weights.restored(config, weights.load(place / weights.FILE), str(place / weights.FILE))


def _config(path: pathlib.Path) -> Any:
    try:
        found = settings.from_json(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ValueError(f"{path} cannot be used: {error}") from error
    if getattr(found, "image_shape", None) is None:
        raise ValueError(f"{path} cannot be used: it holds a {type(found).__name__}, not the settings of a model")
    return found
