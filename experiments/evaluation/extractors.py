"""Feature extractors by name: `pixels`, `pca`, `classifier`, `inception:FILE`.

An extractor is a value that a name and the real training set make; what it gives for images is a pure function of them.
"""

import functools
import pathlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from experiments.command_line.errors import UserError
from experiments.data.options import ImageOptions
from experiments.data.request import nearest
from experiments.evaluation import classifier, sets
from experiments.evaluation.outputs import Outputs
from experiments.evaluation.sets import Examples, Real
from experiments.models.chunks import in_chunks

NAMES = ("pixels", "pca", "classifier", "inception:FILE")

PCA_DIRECTIONS, PCA_IMAGES = 64, 10_000
"""Principal components that are kept, and the real training images that they are fitted to, at most."""

INCEPTION_CHUNK = 50
"""Images that the Inception is given at a time."""


@dataclass(frozen=True)
class Extractor:
    """From examples to features."""

    name: str
    outputs: Callable[[np.ndarray], Outputs]  # of images (num, ...), as they are stored
    resize: str = "none"
    accuracy: float | None = None  # of a classifier, on held-out images
    about: str = ""  # one line for a person
    classes: bool = False  # whether its logits are of the data's own classes

    def __call__(self, examples: Examples) -> Examples:
        """The examples with their features and logits."""
        found = self.outputs(examples.pixels)
        return replace(examples, features=found.features, logits=found.logits)


@dataclass(frozen=True)
class Cache:
    """Of the classifier."""

    images: ImageOptions = ImageOptions()  # with which the real images were read
    folder: pathlib.Path | None = None  # of the user if not given
    seed: int = 0  # of the classifier


def usual(real: Real) -> tuple[str, ...]:
    """What is used if nothing else is asked for: the classifier where the set has labels."""
    if real.kind == "points":
        return ("pixels",)
    return ("pca",) if _why_no_classifier(real) else ("classifier",)


def check(names: Sequence[str], real: Real) -> None:
    """UserError unless every extractor is known and fits the data; nothing is computed."""
    for name in names:
        kind, colon, file = name.partition(":")
        if kind not in ("pixels", "pca", "classifier", "inception") or (colon and kind != "inception"):
            raise UserError(f"--extractor {name!r} is unknown; {nearest(name, NAMES)}")
        if kind == "inception":
            _check_inception(file, real)
        if kind == "classifier" and (reason := _why_no_classifier(real)):
            raise UserError(f"--extractor classifier cannot be used: {reason}; use pixels or pca")


def make(name: str, real: Real, cache: Cache) -> Extractor:
    """The extractor of a name that `check` has let pass; may train a classifier."""
    kind, _, file = name.partition(":")
    match kind:
        case "pixels":
            return Extractor("pixels", lambda pixels: Outputs(Examples(pixels).rows, None), about=_ABOUT[real.kind])
        case "pca":
            return _pca(real)
        case "inception":
            return _inception(pathlib.Path(file))
    reason = _why_no_classifier(real)
    if reason or real.test is None:
        raise UserError(f"--extractor classifier cannot be used: {reason}; use pixels or pca")
    judge = classifier.obtain(real.train, real.test, cache.images, seed=cache.seed, folder=cache.folder)
    return Extractor("classifier", judge.outputs, accuracy=judge.accuracy, about=judge.describe(), classes=True)


_ABOUT = {"images": "pixels: images in [0, 1] as they are", "points": "pixels: coordinates as they are"}


def _why_no_classifier(real: Real) -> str | None:
    if reason := classifier.why_not(real.train):
        return reason
    return classifier.why_not_judged(real.test)


def _pca(real: Real) -> Extractor:
    import jax.numpy as jnp

    fitted_to = sets.spread(real.train, PCA_IMAGES).rows
    num = min(PCA_DIRECTIONS, fitted_to.shape[1], max(1, len(fitted_to) - 1))
    fit = functools.cache(lambda: _projection(fitted_to, num))  # not where no metric asks for it

    def outputs(pixels: np.ndarray) -> Outputs:
        return Outputs(in_chunks(lambda part: fit()(jnp.asarray(part)), Examples(pixels).rows), None)

    return Extractor("pca", outputs, about=f"pca: {num} principal components of {len(fitted_to):,} real images")


def _projection(rows: np.ndarray, num: int) -> Callable[[Any], Any]:
    """Coordinates along the principal components; by singular values where the images are fewer than their values."""
    import jax
    import jax.numpy as jnp

    from jaxgen.latents import principal_components as components
    from jaxgen.metrics import moments, pca_extractor

    if len(rows) > rows.shape[1]:
        return jax.jit(pca_extractor(jax.jit(moments)(jnp.asarray(rows)), num))
    found = jax.jit(components.principal_components, static_argnums=1)(jnp.asarray(rows), num)
    return jax.jit(functools.partial(components.project, found))


def _check_inception(file: str, real: Real) -> None:
    if not file:
        raise UserError("--extractor inception needs its weights: inception:WEIGHTS.npz; see docs/metrics.md")
    if real.kind == "points" or real.train.image_shape[2] not in (1, 3):
        raise UserError(f"--extractor inception cannot be used: {real.train.name} holds no grey or RGB images")
    from experiments.evaluation import inception

    inception.load(pathlib.Path(file))


def _inception(file: pathlib.Path) -> Extractor:
    """Features "2048" and unbiased logits of the FID Inception."""
    import jax

    from experiments.evaluation import inception
    from jaxgen.metrics import inception_inputs
    from jaxgen.metrics.features import INCEPTION_SIZE
    from jaxgen.nets.inception import InceptionV3

    weights = inception.load(file)

    @jax.jit
    def apply(weights: Any, pixels: Any) -> Any:
        found: Any = InceptionV3().apply(weights, inception_inputs(pixels))
        return found["2048"], found["logits_unbiased"]

    def outputs(pixels: np.ndarray) -> Outputs:
        return Outputs(*in_chunks(lambda part: apply(weights, part), pixels, INCEPTION_CHUNK))

    resize = f"{INCEPTION_SIZE}x{INCEPTION_SIZE}, TensorFlow 1 bilinear"
    return Extractor(
        f"inception:{file.name}", outputs, resize, about=f"inception: features 2048 of the FID Inception in {file}"
    )
