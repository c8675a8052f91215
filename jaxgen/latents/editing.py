"""Images edited by what is painted on them: the latents whose image obeys, near to those where the edit began.

Zhu, Krähenbühl, Shechtman, Efros: Generative Visual Manipulation on the Natural Image Manifold, 2016, arXiv 1609.03552
(iGAN), section 4.2, and the authors' code. With colours c and a mask m of them, lines e and their mask, z_0 where the
edit began and means over all pixels, numbers or cells,

    color(x) = mean m (x - c)^2 / (mean m + 1e-5)                                                         (1)
    edges(x) = mean m' (h(x) - h(e))^2 / (mean m' + 1e-5),    h of `jaxgen.latents.edges`                 (2)
    E(z) = color(G(z)) + 0.2 edges(G(z)) + 5 mean (z - z_0)^2 + weight prior(G(z))                        (3)

m' is 1 for cells that the lines touch. About 40 steps of Adam lead to candidates from many starts around z_0 at once;
the best are kept. A move takes a patch to another place and wants its colours and its edges there. G and the prior are
those of `jaxgen.latents.projection` and `jaxgen.latents.inpainting`; the change of an edit is brought to a photograph
by `jaxgen.latents.edit_transfer`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgen.checks import NonNegativeFloat, PositiveInt, require, require_bounds
from jaxgen.images import ValueRange
from jaxgen.latents.blending import require_same_shape
from jaxgen.latents.edges import edge_histograms, in_cells
from jaxgen.latents.inpainting import PriorLoss
from jaxgen.latents.projection import Generate, require_fit
from jaxgen.losses._arrays import Floats, mean_per_example
from jaxgen.minimization import Descent, Minimizer, Support, identity, minimize
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.typing import Images, PerExample, Points

EPSILON = 1e-5
"""Added to the mean of a mask in equations 1 and 2: without a mask they are 0."""


class Layer(NamedTuple):
    """What is painted on images, and where."""

    images: Floats  # (B, height, width, channels), in the value range of G; what the mask hides plays no part
    mask: Floats  # (B, height, width, 1): 1 where they are painted, 0 elsewhere, weights between


class Constraints(NamedTuple):
    """What an edit wants; None plays no part."""

    colors: Layer | None = None  # equation 1
    edges: Layer | None = None  # equation 2: images of lines, or of what has the wanted edges


class Candidates(NamedTuple):
    """What an edit found, the best first."""

    latents: Float[Array, "kept batch ..."]
    images: Float[Array, "kept batch height width channels"]  # G(z), cut to no range
    values: Float[Array, "kept batch"]  # equation 3


@dataclass(frozen=True)
class Editing:
    """How an edit is searched for; the numbers are those of the authors' code."""

    minimizer: Minimizer = Descent(Optimizer(0.1, Adam(b1=0.5)), steps=40)
    edge_weight: NonNegativeFloat = 0.2
    closeness: NonNegativeFloat = 5.0  # weight of the distance to z_0
    prior_weight: NonNegativeFloat = 0.0  # of being like the data
    prior: PriorLoss | None = None  # None: equation 3 without it
    keep: PositiveInt = 16  # candidates, at most
    cell: PositiveInt = 8  # of the histograms of edges, pixels; 8 for 64 pixels in the code
    value_range: ValueRange = (-1.0, 1.0)  # of G, brought to [0, 1] for its edges
    support: Support = identity  # of the latents

    def __post_init__(self):
        require_bounds(self)


def edit(
    settings: Editing,
    generate: Generate,
    constraints: Constraints,
    starts: Floats,
    given: tuple[Any, ...] = (),
) -> Candidates:
    """The smallest values of equation 3 that are found from all starts, in their order.

    Args:
        settings: of the search.
        generate: G(latents, *given), a function of each latent alone.
        constraints: for each image of the batch.
        starts: latents where to begin, (starts, B, ...); the first of them is z_0. `around` makes them.
        given: with the latents: labels (B,), for one.

    Raises:
        ValueError: if there is no constraint, or the shapes do not fit.

    >>> generate = lambda z: jnp.broadcast_to(z[:, :, None, None], (1, 1, 2, 1))
    >>> left = Layer(jnp.full((1, 1, 2, 1), 0.5), jnp.array([1.0, 0.0]).reshape(1, 1, 2, 1))
    >>> edit(Editing(closeness=0.0), generate, Constraints(left), jnp.zeros((1, 1, 1))).images.round(1).ravel()
    Array([0.5, 0.5], dtype=float32)
    """
    layers = [layer for layer in constraints if layer is not None]
    require(bool(layers), "constraints", constraints, "colors or edges, or both: nothing is wanted of the images")
    for layer in layers:
        require_same_shape(layer.images, layer.images, layer.mask)
        require_fit(generate, layer.images, starts, given)
    wanted = constraints._replace(edges=_histograms(settings, constraints.edges))
    inputs = (settings.support(starts[0]), wanted, *given)
    objective = _objective(settings, generate)
    found = jax.vmap(lambda start: minimize(settings.minimizer, objective, start, inputs, settings.support))(starts)
    order = jnp.argsort(jnp.where(jnp.isnan(found.values), jnp.inf, found.values), axis=0)[: settings.keep]
    chosen = jnp.arange(starts.shape[1])[None]
    latents = found.points[order, chosen]
    made = jax.lax.map(lambda points: generate(points, *given), latents)
    return Candidates(latents, made, found.values[order, chosen])


def masked_error(values: Floats, wanted: Floats, mask: Floats) -> PerExample:
    """mean m (x - c)^2 / (mean m + 1e-5): equation 1, and 2 of histograms; 0 without a mask.

    >>> mask = jnp.array([1.0, 0.0]).reshape(1, 1, 2, 1)
    >>> masked_error(jnp.array([3.0, 9.0]).reshape(mask.shape), jnp.zeros(mask.shape), mask).round(2)
    Array([9.], dtype=float32)
    """
    errors = jnp.where(mask > 0, values - wanted, 0.0)
    return mean_per_example(mask * errors**2) / (mean_per_example(mask) + EPSILON)


def around(latents: Points, draws: Floats, deviation: float = 0.5) -> Floats:
    """Starts of an edit, (1 + draws, B, ...): the latents, then the same with draws times the deviation added.

    Args:
        latents: z_0, (B, ...).
        draws: from the prior, (draws, B, ...).
        deviation: half of the prior's in the authors' code.

    >>> around(jnp.array([[1.0]]), jnp.array([[[2.0]], [[-4.0]]])).ravel()
    Array([ 1.,  2., -1.], dtype=float32)
    """
    require(draws.shape[1:] == latents.shape, "shape of draws", draws.shape, f"(draws, {latents.shape})")
    return jnp.concatenate([latents[None], latents[None] + deviation * draws])


def moved(images: Floats, sources: Array, targets: Array, side: int) -> Layer:
    """Patches of images at other places: a layer for colours and for edges; of patches that overlap the last.

    Args:
        images: (B, height, width, channels).
        sources: middles of patches, (moves, 2): rows and columns, whole numbers.
        targets: where the middles go, (moves, 2). What would lie beyond the border is left out, there and here.
        side: of a patch, pixels, odd.

    >>> image = jnp.array([0.0, 1.0, 2.0, 3.0]).reshape(1, 1, 4, 1)
    >>> layer = moved(image, jnp.array([[0, 3]]), jnp.array([[0, 0]]), 1)
    >>> layer.images.ravel(), layer.mask.ravel()
    (Array([3., 0., 0., 0.], dtype=float32), Array([1., 0., 0., 0.], dtype=float32))
    """
    require(side >= 1 and side % 2 == 1, "side", side, "odd and positive")
    fits = sources.ndim == 2 and sources.shape[1] == 2 and sources.shape == targets.shape
    require(fits, "shapes of sources and targets", (sources.shape, targets.shape), "(moves, 2), both")
    height, width = images.shape[1:3]
    rows, columns = jnp.meshgrid(jnp.arange(height), jnp.arange(width), indexing="ij")

    def put(layer: Layer, move: tuple[Array, Array]) -> tuple[Layer, None]:
        source, target = move
        below, right = rows - target[0], columns - target[1]
        row, column = rows - target[0] + source[0], columns - target[1] + source[1]
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        inside &= (jnp.abs(below) <= side // 2) & (jnp.abs(right) <= side // 2)
        inside = jnp.broadcast_to(inside[None, :, :, None], layer.mask.shape)
        taken = images[:, jnp.clip(row, 0, height - 1), jnp.clip(column, 0, width - 1)]
        return over(layer, Layer(taken, inside.astype(images.dtype))), None

    nothing = Layer(jnp.zeros_like(images), jnp.zeros((*images.shape[:3], 1), images.dtype))
    return jax.lax.scan(put, nothing, (sources, targets))[0]


def over(below: Layer, above: Layer) -> Layer:
    """Both layers in one; the upper one where it is painted."""
    painted = above.mask > 0
    return Layer(jnp.where(painted, above.images, below.images), jnp.where(painted, above.mask, below.mask))


def _histograms(settings: Editing, layer: Layer | None) -> Layer | None:
    """What equation 2 compares with, and for each cell whether the layer touches it."""
    if layer is None or settings.edge_weight == 0:
        return None
    touched = in_cells(layer.mask, settings.cell) > EPSILON
    return Layer(_edges_of(settings, layer.images), touched.astype(layer.mask.dtype))


def _edges_of(settings: Editing, images: Images) -> Array:
    low, high = settings.value_range or (0.0, 1.0)
    return edge_histograms((images - low) / (high - low), cell=settings.cell)


def _objective(settings: Editing, generate: Generate) -> Callable[..., PerExample]:
    """Equation 3."""

    def objective(latents: Points, origins: Points, wanted: Constraints, *given: Any) -> PerExample:
        made = generate(latents, *given)
        value = settings.closeness * mean_per_example((latents - origins) ** 2)
        if wanted.colors is not None:
            value += masked_error(made, *wanted.colors)
        if wanted.edges is not None:
            value += settings.edge_weight * masked_error(_edges_of(settings, made), *wanted.edges)
        if settings.prior is not None and settings.prior_weight:
            value += settings.prior_weight * settings.prior(made, *given)
        return value

    return objective
