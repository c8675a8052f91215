"""What a test of a model of its own needs: settings of the tests are read, and an experiment of that name is there."""

import pytest

from experiments.runs import experiment, settings


@pytest.fixture
def own_models(monkeypatch):
    """Runs of models that only the tests know can be read."""
    monkeypatch.setattr(settings, "PACKAGES", (*settings.PACKAGES, "tests"))
    return monkeypatch


@pytest.fixture
def named(own_models):
    """Makes an experiment known by any name."""
    return lambda chosen: own_models.setattr(experiment, "load", lambda name: chosen)
