"""The first layer with weights that a generator's latents meet: its features, and its matrix."""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from experiments.command_line.errors import UserError
from experiments.latents.searching import labels_for
from experiments.latents.styled import Styled
from experiments.latents.trained import Trained
from experiments.models import abilities
from experiments.models.chunks import in_chunks
from experiments.runs.experiment import model_of
from jaxgen import parallel
from jaxgen.abilities import TrajectoryModel
from jaxgen.gans.style_space import AFFINE

Draw = Callable[[Any], Any]
"""A generator as a function of latents or styles."""


def features(run: Trained, latents: np.ndarray, labels: np.ndarray | None) -> np.ndarray:
    """What the first layer makes of each latent, (num, features). UserError for a model that draws in steps."""
    told = labels_for(run, labels)

    @parallel.compiled
    def apply(state: Any, latents: Any, labels: Any) -> Any:
        found = _calls(_generator(run, state, labels), latents, 1, _has_kernel)
        return found[0].reshape(len(latents), -1)

    def some(places: np.ndarray) -> Any:
        return apply(run.state, latents[places], None if told is None else told[places])

    return in_chunks(some, np.arange(len(latents)))


def matrix(run: Trained, latent: np.ndarray, label: np.ndarray | None) -> np.ndarray:
    """A of the first layer, A z + b, (outputs, latent), for a latent (1, latent). UserError where it is no such map.

    Where a latent is scaled before the layer, as in ProGAN, A is the layer's alone.
    """
    found = parallel.compiled(lambda state, latent, label: _matrix(_generator(run, state, label), latent))
    return np.asarray(found(run.state, latent, label))


def style_matrix(styled: Styled, ws: np.ndarray) -> np.ndarray:
    """The maps of w in all layers of a style-based model, stacked: (outputs, features)."""
    model: Any = abilities.styled_model(styled.run.config)

    @parallel.compiled
    def slopes(state: Any, ws: Any) -> Any:
        def scales(w: Any) -> Any:
            moved = ws + w[None, None]
            calls = _calls(lambda ws: model.from_w_plus(styled.run.config, state, ws), moved, None, _is_affine)
            return jnp.concatenate([call.ravel() for call in calls])

        return _slope(scales, jnp.zeros(ws.shape[2]))

    return np.asarray(slopes(styled.run.state, ws[:1]))


def _generator(run: Trained, state: Any, labels: Any) -> Draw:
    if isinstance(model_of(run.config), TrajectoryModel):
        raise UserError(f"{run.name} makes images in steps and has no first layer; use --method means or plane")
    model, shape = abilities.latent_model(run.config), abilities.latent_shape(run.config)
    return lambda latents: model.from_latents(run.config, state, latents.reshape(-1, *shape), labels)


def _matrix(draw: Draw, latent: jax.Array) -> jax.Array:
    def outputs(change: jax.Array, latent: jax.Array) -> jax.Array:
        return _calls(draw, latent, 1, _has_kernel, change)[0].ravel()

    def inputs(latent: jax.Array) -> jax.Array:
        return _calls(draw, latent, 1, _has_kernel, given=True)[0].ravel()

    size = jax.eval_shape(inputs, latent).size
    of_layer = _slope(lambda change: outputs(change, latent), jnp.zeros(size))
    if size == latent.size:
        return of_layer
    return of_layer @ _slope(lambda point: inputs(point[None]), latent[0])


def _slope(affine: Callable[[jax.Array], jax.Array], point: jax.Array) -> jax.Array:
    """The matrix of an affine map of vectors, (outputs, inputs): what it makes of a step of 1 along each axis."""
    moved = jax.vmap(affine)(point[None] + jnp.eye(len(point), dtype=point.dtype))
    return (moved - affine(point)[None]).T


def _calls(
    draw: Draw, latents: Any, num: int | None, chosen: Callable[[Any], bool], change: Any = None, given: bool = False
) -> list[Any]:
    """The outputs, or what is `given`, of the first `num` calls of chosen layers, the input of the first changed."""
    found: list[Any] = []

    def keep(call: Callable[..., Any], args: Any, kwargs: Any, context: nn.module.InterceptorContext) -> Any:
        if context.method_name != "__call__" or not chosen(context.module) or len(found) == num:
            return call(*args, **kwargs)
        if change is not None:
            args = (args[0] + change.reshape(args[0].shape), *args[1:])
        outputs = call(*args, **kwargs)
        found.append(args[0] if given else outputs)
        return outputs

    with nn.intercept_methods(keep):
        draw(latents)
    if not found:
        raise UserError("the generator has no layer with weights of its own; use --method means or plane")
    return found


def _has_kernel(module: nn.Module) -> bool:
    return module.has_variable("params", "kernel")


def _is_affine(module: nn.Module) -> bool:
    return module.name in AFFINE
