"""Devices: the only package of the library that knows about them.

An update is written once, `update(config, state, batch, key, *, axis_name=None)`. With `axis_name=None` the batch is
the whole batch; with a name it is this device's share, and means over devices run along that axis. `drivers` turn an
update into a step over global batches and one state, `side_by_side` into one of several runs at once; `inside` holds
what the update itself uses; `layout` says where states and batches lie. `inside` and the drivers use `layout`, and do
not use each other.
"""

from jaxgen.parallel.drivers import Step, compiled, compiler_options, initial, jit, pmap, program, shard_map
from jaxgen.parallel.inside import (
    draw,
    even_shares,
    example_keys,
    gather,
    pass_key,
    pmean,
    psum,
    replicate_batch,
    replicated_weights,
    share,
    split,
    split_key,
    take,
)
from jaxgen.parallel.layout import (
    AXIS,
    Devices,
    batch_sharding,
    differing_replicas,
    global_batch,
    max_over_processes,
    placement,
    replicate,
    unsharded,
)
from jaxgen.parallel.side_by_side import Steps, runs

__all__ = [
    "AXIS",
    "Devices",
    "Step",
    "Steps",
    "batch_sharding",
    "compiled",
    "compiler_options",
    "differing_replicas",
    "draw",
    "even_shares",
    "example_keys",
    "gather",
    "global_batch",
    "initial",
    "jit",
    "max_over_processes",
    "pass_key",
    "placement",
    "pmap",
    "pmean",
    "program",
    "psum",
    "replicate",
    "replicate_batch",
    "replicated_weights",
    "runs",
    "shard_map",
    "share",
    "split",
    "split_key",
    "take",
    "unsharded",
]
