"""A small convolutional classifier of a data set: the judge of samples, fitted to the real training images alone.

Its weights are trained once for the training images, their options and a seed, and kept in a cache folder. Its accuracy
is taken anew on the images that are held out now, and belongs beside every number that rests on it: of a judge that
errs, nothing follows.
"""

import dataclasses
import functools
import hashlib
import json
import os
import pathlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from experiments.command_line import system, terminal
from experiments.command_line.errors import UserError
from experiments.data.images import ImageSet
from experiments.data.options import ImageOptions
from experiments.data.rows import LazyRows
from experiments.evaluation.outputs import Outputs
from experiments.models.chunks import CHUNK, in_chunks
from experiments.runs import files, settings, variables

FORMAT = 2  # of what is kept; part of its name

STEPS_PER_CALL = 50

SOME = 64
"""Images, of those that are read as they are needed, whose pixels identify a set."""


@dataclass(frozen=True)
class Settings:
    """How the classifier is made; a test takes smaller ones."""

    channels: int = 16  # of the first convolution
    width: int = 64  # features before the logits
    steps: int = 2_000  # of Adam, the learning rate falling to 0 over them
    batch_size: int = 64
    learning_rate: float = 2e-3


USUAL = Settings()
"""Those of `obtain`, unless it is given others."""


@dataclass(frozen=True)
class Classifier:
    """Trained, with what it is worth."""

    accuracy: float  # on held-out images
    num_test: int
    num_train: int
    file: pathlib.Path
    outputs: Callable[[np.ndarray], Outputs]  # of uint8 images
    network: Callable[[Any], Any]  # floats in [-1, 1] to "features" and "logits", to be differentiated

    def describe(self) -> str:
        """One line for a person."""
        return (
            f"convolutional classifier, {self.accuracy:.2%} right on {self.num_test:,} held-out images, "
            f"fitted to {self.num_train:,} real training images"
        )


def why_not(train: ImageSet) -> str | None:
    """Why no classifier can be fitted to a set; None if one can."""
    if len(train.image_shape) != 3:
        return f"{train.name} holds points, no images"
    if train.labels is None:
        return f"{train.name} has no labels to fit a classifier to"
    return f"{train.name} has one class only" if train.num_classes < 2 else None


def why_not_judged(test: ImageSet | None) -> str | None:
    """Why the accuracy of a classifier cannot be taken on these images; None if it can."""
    if test is None:
        return "nothing is held out to tell a classifier's accuracy"
    return None if test.labels is not None else f"the images that {test.name} holds out have no labels"


def cache_folder() -> pathlib.Path:
    """Where classifiers are kept if no folder is given."""
    return (system.cache_folder(os.environ) or pathlib.Path.home() / ".cache") / "jaxgen" / "classifiers"


def obtain(
    train: ImageSet,
    test: ImageSet,
    images: ImageOptions,
    *,
    seed: int = 0,
    folder: pathlib.Path | None = None,
    chosen: Settings | None = None,
) -> Classifier:
    """The classifier of a set from the cache, or trained now and put there.

    Args:
        train: labelled images that it is fitted to.
        test: held-out ones, on which its accuracy is taken; `why_not_judged` lets them pass.
        images: options with which both were read.
        seed: of its weights and the order of its images.
        folder: of the cache; `cache_folder()` if not given.
        chosen: how it is made; `USUAL` if not given.

    Raises:
        UserError: if the set cannot be classified, or the folder not be written to.
    """
    if reason := why_not(train):
        raise UserError(reason)
    chosen = chosen or USUAL
    record = _record(train, images, seed, chosen)
    path = (folder or cache_folder()) / f"{_plain(train.name)}-{_digest(record)}.npz"
    kept = _kept(path, record)
    if kept is None:
        kept = _train(train, seed, chosen)
        _keep(path, kept | {"record": json.dumps(record)})
    network = _network(train, chosen, kept)
    outputs = _outputs(network)
    return Classifier(_accuracy(outputs, test), len(test), len(train), path, outputs, network)


def _record(train: ImageSet, images: ImageOptions, seed: int, chosen: Settings) -> dict[str, Any]:
    """What the weights of a classifier depend on."""
    return {
        "format": FORMAT,
        "data": train.name,
        "shape": list(train.image_shape),
        "classes": train.num_classes,
        "num_train": len(train),
        "content": _content(train),
        "images": settings.to_json(images),
        "seed": seed,
        "settings": dataclasses.asdict(chosen),
    }


def _content(train: ImageSet) -> str:
    """A checksum of all images and labels.

    Of images that are read as they are needed, which may be too many for that, it is of what identifies their files and
    of some of them.
    """
    labels: Any = train.labels
    seen = hashlib.sha256(labels.astype("<i4").tobytes())
    if isinstance(train.images, LazyRows):
        places = [np.unique(np.linspace(0, len(train) - 1, SOME).astype(np.int64))]
        identity = train.fingerprint() if train.fingerprint is not None else None
        seen.update(json.dumps(identity).encode())
    else:
        places = np.array_split(np.arange(len(train)), -(-len(train) // (4 * CHUNK)))
    for indices in places:
        seen.update(np.ascontiguousarray(train.batch(indices)).tobytes())
    return seen.hexdigest()


def _digest(record: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()[:16]


def _plain(name: str) -> str:
    """A part of a file's name."""
    return re.sub(r"[^\w.-]+", "_", name)[-60:]


def _kept(path: pathlib.Path, record: dict[str, Any]) -> dict[str, np.ndarray] | None:
    """What the cache holds; None, with a word to the person where there is something that is not it."""
    if not path.is_file():
        return None
    try:
        found = variables.load(path)
        fits = json.loads(str(found["record"])) == record
    except (ValueError, KeyError):
        fits = False
    if fits:
        return found
    terminal.show(f"{path} is damaged or of something else; the classifier is trained again")
    return None


def _keep(path: pathlib.Path, arrays: dict[str, Any]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with files.replacing(path) as unfinished:
            variables.save(unfinished, arrays)
    except OSError as error:
        raise UserError(
            f"cannot write the classifier to {path.parent}: {error.strerror}; choose another --cache-dir"
        ) from error


def _train(train: ImageSet, seed: int, chosen: Settings) -> dict[str, np.ndarray]:
    """Weights by name, after all steps."""
    from jaxgen.images import scale
    from jaxgen.losses import cross_entropy
    from jaxgen.train_state import apply

    terminal.show(f"training a classifier on {len(train):,} images of {train.name}, once")
    net, state = fresh(train, seed, chosen)

    def loss(variables: Any, images: Any, labels: Any) -> Any:
        outputs, variables = apply(net, variables, scale(images, (-1.0, 1.0)), (train.num_classes,))
        return cross_entropy(outputs["logits"], labels).mean(), ({}, variables)

    state = fit(state, loss, train, seed, chosen)
    return {name: np.asarray(leaf) for name, leaf in variables.flat({"params": state.params}).items()}


def fresh(train: ImageSet, seed: int, chosen: Settings) -> tuple[Any, Any]:
    """The network, and its player before the first step."""
    import jax
    import jax.numpy as jnp

    from jaxgen.nets.classifier import ConvClassifier
    from jaxgen.optimizers import Adam, LinearDecay, Optimizer
    from jaxgen.train_state import create

    net = ConvClassifier(chosen.channels, chosen.width)
    optimizer = Optimizer(chosen.learning_rate, Adam(), schedule=LinearDecay(chosen.steps))
    example = jnp.zeros((1, *train.image_shape))
    return net, create(net, optimizer, jax.random.key(seed), example, (train.num_classes,))


def fit(
    state: Any,
    loss: Any,
    train: ImageSet,
    seed: int,
    chosen: Settings,
    prepared: Callable[[Any, Any], tuple] | None = None,
) -> Any:
    """The player after all steps down `loss(variables, images, labels)` of the set's uint8 images.

    With `prepared`, the loss is given `prepared(batch, step)` in place of images and labels.
    """
    import jax

    from jaxgen.batches import Labelled
    from jaxgen.train_state import descend

    @functools.partial(jax.jit, donate_argnums=0)
    def steps(state: Any, batches: Labelled) -> Any:
        def step(state: Any, batch: Labelled) -> tuple[Any, None]:
            return descend(state, loss, batch if prepared is None else prepared(batch, state.step))[0], None

        return jax.lax.scan(step, state, batches)[0]

    for start in range(0, chosen.steps, STEPS_PER_CALL):
        count = min(STEPS_PER_CALL, chosen.steps - start)
        places = _order(seed, start * chosen.batch_size, count * chosen.batch_size, len(train))
        batch = train.batch(places, Labelled)
        state = steps(state, jax.tree.map(lambda leaf: leaf.reshape(-1, chosen.batch_size, *leaf.shape[1:]), batch))
    return state


def _order(seed: int, start: int, count: int, num: int) -> np.ndarray:
    """Indices `start` to `start + count` of one permutation of `num` after another."""
    epochs = range(start // num, (start + count - 1) // num + 1)
    shuffled = [np.random.Generator(np.random.Philox(key=[seed, epoch])).permutation(num) for epoch in epochs]
    return np.concatenate(shuffled)[start - epochs[0] * num :][:count]


def _network(train: ImageSet, chosen: Settings, weights: dict[str, Any]) -> Callable[[Any], Any]:
    """Images in [-1, 1] to features and logits."""
    from jaxgen.nets.classifier import ConvClassifier

    params = variables.nested({name: leaf for name, leaf in weights.items() if name.startswith("params/")})
    net = ConvClassifier(chosen.channels, chosen.width)
    return lambda images: net.apply(params, images, (train.num_classes,))


def _outputs(network: Callable[[Any], Any]) -> Callable[[np.ndarray], Outputs]:
    """uint8 images to features and logits."""
    import jax

    from jaxgen.images import scale

    apply = jax.jit(lambda pixels: network(scale(pixels, (-1.0, 1.0))))

    def outputs(pixels: np.ndarray) -> Outputs:
        found = in_chunks(apply, pixels)
        return Outputs(found["features"], found["logits"])

    return outputs


def _accuracy(outputs: Callable[[np.ndarray], Outputs], test: ImageSet) -> float:
    labels: Any = test.labels
    right = 0
    for start in range(0, len(test), 4 * CHUNK):
        places = np.arange(start, min(start + 4 * CHUNK, len(test)))
        logits: Any = outputs(test.batch(places)).logits
        right += int((logits.argmax(1) == labels[places]).sum())
    return right / len(test)
