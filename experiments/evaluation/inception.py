"""Weights of the FID Inception, from PyTorch's names and layouts to those of `jaxgen.nets.inception`."""

import functools
import pathlib
import pickle
import types
from collections.abc import Mapping
from typing import Any

import numpy as np

from experiments.command_line.errors import UserError
from experiments.runs import variables as stored

NAMES = {"weight": "scale", "bias": "bias", "running_mean": "mean", "running_var": "var"}
"""Of batch normalisation, in PyTorch and in Flax."""


def read_torch(path: pathlib.Path) -> dict[str, np.ndarray]:
    """A state dict as NumPy arrays, by PyTorch's reader of plain tensors."""
    try:
        import torch  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise UserError("reading a .pth file needs PyTorch, once: pip install torch") from error
    if not path.is_file():
        raise UserError(f"{path} is no file: give the weights pt_inception-2015-12-05-6726825d.pth")
    try:
        state_dict = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise UserError(
            f"{path} holds other things than tensors, which are not read: give the published file"
        ) from error
    return {name: tensor.numpy() for name, tensor in state_dict.items()}


def from_state_dict(state_dict: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """The variables of `InceptionV3` from PyTorch's names and layouts; counters of batches are left out.

    UserError unless exactly the network's tensors are there, in their shapes.
    """
    flat = {}
    for name, tensor in state_dict.items():
        if not name.endswith("num_batches_tracked"):
            path, value = _converted(name, np.asarray(tensor, np.float32))
            flat[path] = value
    return stored.nested(_checked(flat))


def save(path: pathlib.Path, variables: Mapping[str, Any]) -> None:
    """Variables as `collection/module/.../name` in one file."""
    stored.save(path, variables)


def load(path: pathlib.Path) -> dict[str, Any]:
    """The variables that `save` wrote, for `InceptionV3().apply(variables, inputs)`; UserError for another file."""
    if not path.is_file():
        raise UserError(f"{path} is no file: make it with python -m experiments.inception WEIGHTS.pth {path}")
    try:
        found = stored.load(path)
    except ValueError as error:
        raise UserError(f"{error}; make it with python -m experiments.inception WEIGHTS.pth {path}") from error
    return stored.nested(_checked(found))


@functools.cache
def shapes() -> Mapping[str, tuple[int, ...]]:
    """`collection/module/.../name` to the shape of each array of the network."""
    import jax

    from jaxgen.nets.inception import SIZE, InceptionV3

    images = jax.ShapeDtypeStruct((1, SIZE, SIZE, 3), np.float32)
    variables = jax.eval_shape(InceptionV3().init, jax.random.key(0), images)
    return types.MappingProxyType({name: leaf.shape for name, leaf in stored.flat(variables).items()})


def _converted(name: str, tensor: np.ndarray) -> tuple[str, np.ndarray]:
    """Path and layout in Flax of one tensor."""
    *modules, leaf = name.split(".")
    if modules[-1:] == ["bn"]:
        collection = "batch_stats" if leaf.startswith("running") else "params"
        return "/".join([collection, *modules, NAMES.get(leaf, leaf)]), tensor
    if leaf == "weight":
        order = (2, 3, 1, 0) if tensor.ndim == 4 else tuple(reversed(range(tensor.ndim)))
        return "/".join(["params", *modules, "kernel"]), tensor.transpose(order)
    return "/".join(["params", *modules, leaf]), tensor


def _checked(flat: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    wanted = shapes()
    if missing := sorted(wanted.keys() - flat.keys()):
        raise UserError(f"no weights of the FID Inception: {len(missing)} arrays are missing, such as {missing[0]}")
    if unknown := sorted(flat.keys() - wanted.keys()):
        raise UserError(f"no weights of the FID Inception: {len(unknown)} arrays are unknown, such as {unknown[0]}")
    for name, shape in wanted.items():
        if flat[name].shape != shape:
            raise UserError(
                f"no weights of the FID Inception: {name} has shape {flat[name].shape}, but must be {shape}"
            )
    return flat
