"""Devices: the one room that knows there are any.

An update is written once, `update(config, state, batch, key, *, axis_name=None)`. With `axis_name=None` the batch is
the whole batch; with a name it is this device's share, and means over devices run along that axis. `drivers` turn an
update into a step over global batches and one state; `inside` holds what the update itself uses; `layout` says where
states and batches lie. The first two stand on the third, and neither knows the other.
"""

from jaxgen.parallel.drivers import Step, initial, jit, pmap, program, shard_map
from jaxgen.parallel.inside import draw, example_keys, gather, pass_key, pmean, psum, split, take, whole_weights
from jaxgen.parallel.layout import (
    AXIS,
    Devices,
    batch_sharding,
    differing,
    everywhere,
    global_batch,
    largest,
    placement,
    whole,
)

__all__ = [
    "AXIS",
    "Devices",
    "Step",
    "batch_sharding",
    "differing",
    "draw",
    "everywhere",
    "example_keys",
    "gather",
    "global_batch",
    "initial",
    "jit",
    "largest",
    "pass_key",
    "placement",
    "pmap",
    "pmean",
    "program",
    "psum",
    "shard_map",
    "split",
    "take",
    "whole",
    "whole_weights",
]
