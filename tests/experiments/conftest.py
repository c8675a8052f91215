"""Tests of commands begin many short runs of the same few models: a step that is compiled serves all of them."""

import jax
import pytest

from jaxgen import parallel

_STEPS: dict = {}


def _kept(wrap):
    """A driver that gives for the same update, settings, options and devices the step that it has made before."""

    def driver(update, config, **options):
        given = tuple(
            (name, tuple(value) if isinstance(value, list) else value) for name, value in sorted(options.items())
        )
        key = wrap, update, config, tuple(jax.devices()), given
        if key not in _STEPS:
            _STEPS[key] = wrap(update, config, **options)
        return _STEPS[key]

    return driver


@pytest.fixture(autouse=True)
def steps_are_compiled_once(monkeypatch):
    for name in ("jit", "pmap", "shard_map"):
        monkeypatch.setattr(parallel, name, _kept(getattr(parallel, name)))
