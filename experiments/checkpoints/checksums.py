"""Checksums of the arrays and of the notes of a checkpoint: a flipped bit in an array would restore silently."""

import json
import zlib
from typing import Any

import jax
import numpy as np


def checksums(state: Any) -> dict[str, int]:
    """crc32 of the bytes of each leaf, by its path; of one cut over several processes, of each piece that lies here.

    The name of a piece ends with its place, as in `params/kernel[0:8,4:8]`.
    """
    found: dict[str, int] = {}
    for path, leaf in jax.tree_util.tree_leaves_with_path(state):
        if not isinstance(leaf, jax.Array) or leaf.is_fully_addressable or leaf.is_fully_replicated:
            found[name_of(path)] = zlib.crc32(_bytes(jax.device_get(leaf)))
            continue
        for shard in leaf.addressable_shards:
            bounds = (place.indices(size) for place, size in zip(shard.index, leaf.shape, strict=True))
            where = ",".join(f"{start}:{stop}" for start, stop, _ in bounds)
            found[f"{name_of(path)}[{where}]"] = zlib.crc32(_bytes(jax.device_get(shard.data)))
    return found


def damaged(state: Any, crc32: dict[str, int]) -> list[str]:
    """Names of the leaves, or pieces of them, that are missing or have another checksum than `crc32` says."""
    leaves = {name_of(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(state)}
    return [name for name, crc in crc32.items() if not is_whole(leaves, name, crc)]


def is_whole(leaves: dict[str, np.ndarray], name: str, crc: int) -> bool:
    """Whether the leaf, or the piece of one, of that name has that crc32."""
    name, _, where = name.partition("[")
    bounds = (place.split(":") for place in where.rstrip("]").split(",") if place)
    leaf = leaves.get(name)
    return leaf is not None and crc == zlib.crc32(_bytes(leaf[tuple(slice(int(a), int(b)) for a, b in bounds)]))


def sealed(meta: dict[str, Any]) -> dict[str, Any]:
    """`meta` with the crc32 of all the rest."""
    rest = {key: value for key, value in meta.items() if key != "checksum"}
    return rest | {"checksum": zlib.crc32(json.dumps(rest, sort_keys=True).encode())}


def described(tree: Any) -> dict[str, str]:
    """Dtype and shape of each leaf, by its path."""
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {name_of(path): f"{np.dtype(leaf.dtype).name}{list(leaf.shape)}" for path, leaf in leaves}


def name_of(path: Any) -> str:
    """A leaf's path in a tree as `params/layer/kernel`."""
    keys = [getattr(key, "key", getattr(key, "name", getattr(key, "idx", key))) for key in path]
    return "/".join(str(key) for key in keys)


def _bytes(leaf: Any) -> memoryview:
    return np.ascontiguousarray(leaf).reshape(-1).view(np.uint8).data
