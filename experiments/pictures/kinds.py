"""Pictures that a run draws of itself while it trains, of the same latents and the same images at each step.

samples            images from the prior; of a conditional model, one class a column; of a model of two domains, pairs
                   of one latent; of a model that is given images or captions, held-out ones beside what it makes of
                   them: `pictures.examples`
reconstructions    held-out images above what the model decodes from their codes
codes              where held-out images lie in the plane of the codes, coloured by class; wide codes by their
                   two principal components
code_grid          what the model decodes along the plane of its two-dimensional codes, at the quantiles of the prior;
                   of a conditional model, a smaller grid for each class
retrievals         of a model that matches images and captions: held-out captions beside the images it finds for them
styles             of a model that finds the style of an image: held-out images, each under the captions of others
level_sets         where a critic or discriminator of points in the plane gives equal scores, brighter where it takes
                   them for real, with real points and samples
trajectories       curves on which a sampler leads noise to points in the plane, over real points
"""

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from experiments.command_line.errors import UserError
from experiments.data import held_out
from experiments.data.images import ImageSet
from experiments.models import abilities, conditions, coupled, progress
from experiments.models import styles as styles_of_images
from experiments.pictures import by_class, diagrams, examples, figures, retrievals, styles, trajectories
from experiments.runs.experiment import Experiment, model_of
from jaxgen import images, parallel
from jaxgen.latents import principal_components as pca
from jaxgen.latents import traversal
from jaxgen.typing import Key

Drawing = Callable[[Any], np.ndarray]
"""A state to a picture, (height, width, 3) uint8."""

MOST_CLASSES = 10
"""Of which a conditional model draws a grid of codes."""

REAL_POINTS, CODES, GRID, CLASS_GRID, CURVES = 1_000, 1_000, 20, 7, 300


def check(experiment: Experiment) -> None:
    """UserError if the model cannot draw one of the pictures; computes nothing."""
    config = experiment.model
    needs = {
        "samples": abilities.require_images,
        "retrievals": abilities.matcher,
        "styles": styles_of_images.require,
        "reconstructions": abilities.reconstruction,
        "codes": abilities.autoencoder,
        "code_grid": _require_plane,
        "level_sets": functools.partial(_require_points, kind="level_sets", needs=abilities.critic),
        "trajectories": functools.partial(_require_points, kind="trajectories", needs=abilities.trajectory_model),
    }
    try:
        for kind in experiment.pictures:
            needs[kind](config)
    except UserError as error:
        raise UserError(f"--pictures {' '.join(experiment.pictures)} cannot be drawn: {error}") from error


def _require_plane(config: Any) -> None:
    size = abilities.latent_dim(config)
    if size != 2:
        raise UserError(
            f"code_grid needs latent vectors of 2 numbers, but those of {abilities.name_of(config)} have {size}"
        )


def _require_points(config: Any, kind: str, needs: Callable[[Any], Any]) -> None:
    needs(config)
    if config.image_shape != (2,):
        raise UserError(f"{kind} needs points in the plane, but the data have shape {config.image_shape}")


def drawings(experiment: Experiment, image_set: ImageSet, key: Key) -> dict[str, Drawing]:
    """What draws each of the experiment's pictures, by its name; `key` is that of the samples."""
    drawn: dict[str, Drawing] = {}
    unseen = None
    for kind in experiment.pictures:
        if kind == "samples":
            drawn[kind] = _samples(experiment, image_set, key)
            continue
        if kind == "retrievals":
            drawn[kind] = retrievals.drawing(experiment, image_set)
            continue
        if kind == "styles":
            drawn[kind] = styles.drawing(experiment, image_set)
            continue
        if kind == "code_grid":
            drawn[kind] = _code_grid(experiment.model, image_set)
            continue
        if kind in ("level_sets", "trajectories"):
            drawn[kind] = (_level_sets if kind == "level_sets" else _trajectories)(experiment, image_set, key)
            continue
        unseen = unseen or held_out.load_for(experiment) or image_set
        if kind == "reconstructions":
            pixels, labels = held_out.spread(unseen, min(max(1, experiment.num_samples // 2), len(unseen)))
            drawn[kind] = functools.partial(reconstructions, experiment.model, pixels=pixels, labels=labels)
        else:
            pixels, labels = held_out.spread(unseen, min(CODES, len(unseen)))
            classes = unseen.classes
            drawn[kind] = functools.partial(_codes, experiment.model, pixels=pixels, labels=labels, classes=classes)
    return drawn


def _code_grid(config: Any, image_set: ImageSet) -> Drawing:
    if abilities.has_classes(config):
        return functools.partial(code_grids, config, classes=image_set.classes, num=CLASS_GRID)
    return functools.partial(code_grid, config, num=GRID)


def reconstructions(config: Any, state: Any, pixels: np.ndarray, labels: np.ndarray | None) -> np.ndarray:
    """Rows of images, each above the row of what is decoded from their codes."""
    return pairs(pixels, abilities.reconstruction(config)(state, pixels, labels))


def pairs(originals: np.ndarray, decoded: np.ndarray, names: tuple[str, str] = ("original", "decoded")) -> np.ndarray:
    """Rows of eight originals, each above the row of what was decoded from them; `names` stand at their left."""
    shape = originals.shape[1:]
    columns = min(len(originals), 8)
    rows = math.ceil(len(originals) / columns)
    blank = np.full((rows * columns - len(originals), *shape), 255, np.uint8)
    lines = [np.concatenate([part, blank]).reshape(rows, columns, *shape) for part in (originals, decoded)]
    tiles = np.stack(lines, axis=1).reshape(-1, *shape)
    return figures.labelled(figures.grid(tiles, columns), [*names] * rows)


def in_the_plane(latents: np.ndarray) -> tuple[Callable[[np.ndarray], np.ndarray], tuple[str, str]]:
    """The map of latents to the plane, and the names of its axes.

    Latents of 2 numbers are taken as they are, one number goes across with zeros upwards, and more are laid on the
    principal components of `latents`.
    """
    if latents.shape[1] == 1:
        return lambda others: np.concatenate([others, np.zeros_like(others)], axis=1), ("z1", "")
    if latents.shape[1] == 2:
        return lambda others: others, ("z1", "z2")
    components = jax.jit(pca.principal_components, static_argnums=1)(latents, 2)
    first, second = (f"{place} principal component ({share:.1%})" for place, share in _shares(components))
    return lambda others: np.asarray(jax.jit(pca.project)(components, others)), (first, second)


def _shares(components: pca.PrincipalComponents) -> list[tuple[str, float]]:
    return list(zip(("first", "second"), map(float, components.explained), strict=True))


def code_grid(config: Any, state: Any, num: int, label: int = 0) -> np.ndarray:
    """num x num images decoded at the quantiles of the prior of two-dimensional codes, without gaps."""
    latents = np.asarray(jax.jit(traversal.quantile_grid, static_argnums=0)(num))
    pixels = abilities.decoder(config)(state, latents, np.full(len(latents), label))
    return figures.grid(pixels, num, gap=0, shortest_side=28)


def code_grids(config: Any, state: Any, classes: tuple[str, ...], num: int, across: int = 5) -> np.ndarray:
    """The grid of each of the first classes under its name, `across` of them in a row."""
    classes = classes[:MOST_CLASSES]
    grids = [code_grid(config, state, num, label) for label in range(len(classes))]
    grids += [np.full_like(grids[0], 255)] * (-len(grids) % across)
    names = (*classes, *[""] * (len(grids) - len(classes)))
    rows = [
        figures.labelled(
            figures.grid(np.stack(grids[start : start + across]), across, gap=8, shortest_side=1),
            (),
            names[start : start + across],
        )
        for start in range(0, len(grids), across)
    ]
    return np.concatenate(rows)


def _codes(
    config: Any, state: Any, pixels: np.ndarray, labels: np.ndarray | None, classes: tuple[str, ...]
) -> np.ndarray:
    latents = abilities.encoder(config)(state, pixels, labels)
    if not np.isfinite(latents).all():  # the run will stop at its metrics; principal components need finite numbers
        latents = np.zeros_like(latents)
    project, axes = in_the_plane(latents)
    return diagrams.scatter(diagrams.by_class(project(latents), labels, classes), *axes)


def _level_sets(experiment: Experiment, image_set: ImageSet, key: Key) -> Drawing:
    """Draws the same latents at each step over the scores of the plane."""
    config, model = experiment.model, abilities.critic(experiment.model)
    num = experiment.num_samples
    draw = parallel.compiled(lambda state: model.sample(config, state, key, num))
    score = parallel.compiled(lambda state, points: model.discriminate(config, state, points))
    real = np.asarray(image_set.batch(np.arange(min(len(image_set), REAL_POINTS))))

    def picture(state: Any) -> np.ndarray:
        return points(np.asarray(draw(state)), real, lambda plane: np.asarray(score(state, jnp.asarray(plane))))

    return picture


def _trajectories(experiment: Experiment, image_set: ImageSet, key: Key) -> Drawing:
    """Draws those of the first samples at each step."""
    config, model = experiment.model, abilities.trajectory_model(experiment.model)
    num = min(experiment.num_samples, CURVES)
    draw = parallel.compiled(lambda state: model.trajectory(config, state, key, num))
    real = np.asarray(image_set.batch(np.arange(min(len(image_set), REAL_POINTS))))
    return lambda state: trajectories.curves(np.asarray(draw(state)), real)


def _samples(experiment: Experiment, image_set: ImageSet, key: Key) -> Drawing:
    """Draws the same latents at each step."""
    config, model = experiment.model, model_of(experiment.model)
    if conditions.takes_examples(config):
        return examples.drawing(experiment, image_set, key)
    columns, labels, num = None, None, experiment.num_samples
    if coupled.makes_pairs(config):
        return _of_both_domains(config, max(1, num // 2), key)
    if abilities.has_classes(config):
        columns = min(image_set.num_classes, num)
        num -= num % columns
        labels = jnp.arange(num, dtype=jnp.int32) % columns
    shown = progress.Watched(config)
    draw = parallel.compiled(lambda state: model.sample(shown.config, state, key, num, labels))

    def drawn(state: Any) -> jax.Array:
        with shown.drawing():
            return draw(state)

    if len(config.image_shape) == 1:
        real = np.asarray(image_set.batch(np.arange(min(len(image_set), REAL_POINTS))))
        return lambda state: points(np.asarray(drawn(state)), real)

    def picture(state: Any) -> np.ndarray:
        pixels = np.asarray(images.to_pixels(drawn(state), config.value_range))
        return figures.grid(pixels) if columns is None else by_class.picture(pixels, image_set.classes[:columns])

    return picture


def _of_both_domains(config: Any, num: int, key: Key) -> Drawing:
    """Images of one domain, each above that of the other of the same latent."""
    latents = np.asarray(config.prior.draw(key, num))

    def picture(state: Any) -> np.ndarray:
        both = coupled.pair_decoder(config)(state, latents)
        return pairs(both[:, 0], both[:, 1], ("a", "b"))

    return picture


def points(samples: np.ndarray, real: np.ndarray, field: diagrams.Field | None = None) -> np.ndarray:
    """The first two dimensions of samples over those of real points, and over the level sets of a function of them."""
    groups = [
        diagrams.Group("real", real[:, :2], diagrams.GREY),
        diagrams.Group("samples", samples[:, :2], diagrams.COLOURS[0]),
    ]
    return diagrams.scatter(groups, field=field)
