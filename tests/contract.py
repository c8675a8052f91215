"""The contract suite as this repository's tests use it: see `jaxgen.testing`."""

from jaxgen.testing import Case, Suite, differs, leaves, players, stacked, variations, with_sgd

__all__ = ["Case", "Suite", "differs", "leaves", "players", "stacked", "variations", "with_sgd"]
