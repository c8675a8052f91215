"""The contract suite as this repository's tests use it: see `jaxgen.testing`."""

from jaxgen import parallel, testing
from jaxgen.testing import Case, differs, leaves, players, stacked, variations, with_sgd

__all__ = ["Case", "OverDevices", "Suite", "differs", "leaves", "players", "stacked", "variations", "with_sgd"]


class Suite(testing.Suite):
    """A driver for several devices costs a compilation a model: here it is tried with the exhaustive tests."""

    drivers = ()


class OverDevices(testing.Suite):
    """Of the models that stand for the others: of each family one, and each way to hold players and averages."""

    drivers = (parallel.shard_map,)
