"""Where latents are searched for: the spaces of a model, where to begin in them, and how."""

import functools
from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from experiments.command_line.checks import require_seed
from experiments.command_line.errors import UserError
from experiments.latents.styled import Styled
from experiments.latents.trained import Trained
from experiments.models import abilities
from jaxgen import parallel
from jaxgen.checks import require
from jaxgen.gans.style_space import from_s, to_s
from jaxgen.gans.styles import broadcast, to_w_plus
from jaxgen.latents.projection import Generate, support_of
from jaxgen.metrics.similarity import psnr
from jaxgen.minimization import LBFGS, Descent, Minimizer, Support, identity
from jaxgen.optimizers import Adam, Cosine, Optimizer

SpaceName: TypeAlias = Literal["z", "w", "w+", "s"]
MethodName: TypeAlias = Literal["lbfgs", "adam"]

STEPS = {"lbfgs": 100, "adam": 500}

CHUNK = 16
"""Images that are searched for at once, at most."""

MEAN_OF = 1_000
"""Draws whose mean style is where a search in W begins."""

LAST = 2**31 - 1
"""The number of the last draw that can be named: searches begin at the last ones, which nobody looks at."""


class Space(NamedTuple):
    """A space of latents of a model."""

    generate: Callable[..., Any]  # (state, latents, labels or None) to images in the value range
    starts: Callable[[int, int, np.ndarray | None], np.ndarray]  # (starts, images, labels or None) to (S, B, ...)
    support: Support

    def of(self, state: Any) -> Generate:
        """The generator of a state, as `jaxgen.latents.projection` takes it."""
        return lambda latents, *given: self.generate(state, latents, *(given or (None,)))


def require_search(options: Any) -> None:
    """ValueError for steps, starts, a rate or a seed that no search can have."""
    require(options.steps is None or 1 <= options.steps <= 100_000, "--steps", options.steps, "in [1, 100,000]")
    require(1 <= options.starts <= 1_000, "--starts", options.starts, "in [1, 1,000]")
    require(0 < options.learning_rate < np.inf, "--learning-rate", options.learning_rate, "above 0 and finite")
    require_seed(options.seed)


def minimizer_of(method: MethodName, steps: int | None, learning_rate: float) -> Minimizer:
    """What `--method`, `--steps` and `--learning-rate` say; the rate of Adam falls on a cosine."""
    num = steps or STEPS[method]
    if method == "lbfgs":
        return LBFGS(num)
    return Descent(Optimizer(learning_rate, Adam(), Cosine(num)), num)


def space_of(run: Trained, name: SpaceName, seed: int) -> Space:
    """The space of that name. UserError for a model without it."""
    if name == "z":
        return _prior_space(run, seed)
    styles = _style_space(Styled(run), name, seed)
    return _scale_space(run, styles) if name == "s" else styles


def labels_for(run: Trained, labels: np.ndarray | None) -> np.ndarray | None:
    """What the model is told of images: nothing where it is told no classes. UserError where it must be, and is not."""
    if not run.conditional:
        return None
    if labels is None:
        raise UserError(f"{run.name} is told the class of an image; say with --label what they show")
    return labels.astype(np.int32)


def _prior_space(run: Trained, seed: int) -> Space:
    model, shape = abilities.latent_model(run.config), abilities.latent_shape(run.config)

    def generate(state: Any, latents: Any, labels: Any) -> Any:
        return model.from_latents(run.config, state, latents.reshape(-1, *shape), labels)

    def starts(num: int, images: int, labels: np.ndarray | None) -> np.ndarray:
        return _draws(run, num * images, seed).reshape(num, images, -1)

    prior = run.config.prior
    return Space(generate, starts, support_of(prior) if run.latent_dim == shape[0] else identity)


def _style_space(styled: Styled, name: SpaceName, seed: int) -> Space:
    run: Trained = styled.run
    model: Any = abilities.styled_model(run.config)

    def layers(num: int, labels: np.ndarray | None) -> np.ndarray:
        latents = _draws(run, num, seed)
        return styled.ws_of(latents, None if labels is None else np.resize(labels, num))

    def starts(num: int, images: int, labels: np.ndarray | None) -> np.ndarray:
        """The mean style first, then those of draws."""
        mean = layers(MEAN_OF, labels).mean(axis=0)
        others = layers((num - 1) * images, labels) if num > 1 else np.zeros((0, *mean.shape), np.float32)
        found = np.concatenate([np.repeat(mean[None], images, axis=0), others]).reshape(num, images, *mean.shape)
        return found[:, :, 0] if name == "w" else found

    def generate(state: Any, latents: Any, labels: Any) -> Any:
        ws = broadcast(latents, run.config.synthesis.num_styles(run.config.image_shape)) if name == "w" else latents
        return model.from_w_plus(run.config, state, ws)

    return Space(generate, starts, identity)


def _scale_space(run: Trained, styles: Space) -> Space:
    """All scales of a generator in a row; a search begins at those of styles."""
    model: Any = abilities.styled_model(run.config)
    latents = jnp.zeros((1, *abilities.latent_shape(run.config)))
    some = jax.eval_shape(lambda state, latents: to_w_plus(run.config, state, latents), run.state, latents)

    def draw_of(state: Any) -> Callable[..., Any]:
        return functools.partial(model.from_w_plus, run.config, state)

    shapes = jax.eval_shape(lambda state, ws: to_s(draw_of(state), ws), run.state, some)
    ends = np.cumsum([scales.shape[1] for scales in shapes.values()])

    def starts(num: int, images: int, labels: np.ndarray | None) -> np.ndarray:
        ws = styles.starts(num, images, labels)
        scales = parallel.compiled(lambda state, ws: to_s(draw_of(state), ws))(run.state, ws.reshape(-1, *ws.shape[2:]))
        return np.concatenate([scales[name] for name in shapes], axis=1).reshape(num, images, -1)

    def generate(state: Any, latents: Any, labels: Any) -> Any:
        scales = dict(zip(shapes, jnp.split(latents, ends[:-1], axis=1), strict=True))
        return from_s(draw_of(state), jnp.zeros((len(latents), *some.shape[1:])), scales)

    return Space(generate, starts, identity)


def _draws(run: Trained, num: int, seed: int) -> np.ndarray:
    return run.draw(LAST - np.arange(num), seed)


def decibels(pixels: np.ndarray, originals: np.ndarray) -> np.ndarray:
    """PSNR of each of some uint8 images; infinite for equal ones."""
    made, wanted = (jnp.asarray(each, jnp.float32) for each in (pixels, originals))
    return np.asarray(psnr(made, wanted, data_range=255.0))


def said(ratio: float) -> str:
    """A ratio in words: equal pixels have no finite one."""
    return f"{ratio:.1f}" if np.isfinite(ratio) else "infinite"
