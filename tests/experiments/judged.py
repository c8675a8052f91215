"""Evaluations of tiny runs, with a classifier that learns in a second: shared by the tests of what reads them."""

import json
import pathlib

import pytest

from experiments import evaluate
from experiments.evaluation import classifier

TINY = classifier.Settings(channels=4, width=8, steps=500, batch_size=32, learning_rate=5e-3)


def evaluated(folder: pathlib.Path, cache: pathlib.Path, *options: str) -> dict:
    """What evaluation.json says after the command."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(classifier, "USUAL", TINY)
        assert evaluate.main([str(folder), "--cache-dir", str(cache), *options]) == 0
    return json.loads((folder / "evaluation.json").read_text())
