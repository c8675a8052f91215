"""How often classifiers are right under attack, over the size of the attack; images that are misread."""

import functools
import json
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments import data
from experiments.command_line import terminal
from experiments.command_line.errors import FolderError, UserError
from experiments.data.images import ImageSet
from experiments.data.options import ImageOptions
from experiments.evaluation import classifier, rows
from experiments.evaluation.classifier import Settings
from experiments.pictures import curves, figures
from experiments.runs import files
from jaxgen.attacks import Attack, fgsm, pgd
from jaxgen.batches import Labelled
from jaxgen.images import scale, to_pixels
from jaxgen.losses import cross_entropy

Network = Callable[[Any], Any]
"""Images in [0, 1] to logits."""

UNIT = (0.0, 1.0)
CHUNK = 250
SHOWN = 6
SAID = {"usual": "learned from images", "adversarial": "learned from adversarial examples"}
"""The classifiers, and what each has learned from."""

LONG = 2.5
"""Lengths of all steps of PGD together, in radii."""


class Images(NamedTuple):
    """Held-out images and what they are."""

    pixels: np.ndarray  # uint8
    labels: np.ndarray
    classes: tuple[str, ...]


def run(options: Any, settings: Settings | None = None) -> dict[str, Any]:
    """Accuracies of both classifiers; what OUT/adversarial.json then holds. UserError for a set without labels.

    Args:
        options: of the command.
        settings: how both classifiers are made; those of `evaluate` if not given.
    """
    settings = settings or classifier.USUAL
    train, held_out = (data.load(options.data, split, options.data_dir) for split in ("train", "test"))
    if reason := classifier.why_not(train) or classifier.why_not_judged(held_out):
        raise UserError(f"{reason}; choose another --data")
    test = _some(held_out, options.num_images)
    try:
        options.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FolderError(f"cannot write to {options.out}: {error.strerror}") from error
    usual = classifier.obtain(
        train, held_out, ImageOptions(), seed=options.seed, folder=options.cache_dir, chosen=settings
    )
    networks: dict[str, Network] = {"usual": lambda images: usual.network(2 * images - 1)["logits"]}
    networks["adversarial"] = trained(train, options.seed, settings, of_size(options, options.train_epsilon, True))
    found = {
        name: {kind: _curve(options, kind, network, test) for kind in ("fgsm", "pgd")}
        for name, network in networks.items()
    }
    kept = {"data": options.data, "norm": options.norm, "steps": options.steps, "seed": options.seed}
    kept |= {"train_epsilon": options.train_epsilon, "train_steps": options.train_steps}
    record = {"format": 1} | kept | {"num_test": len(test.labels), "classifiers": found}
    _write(options, record, _examples(options, networks["usual"], test))
    return record


def of_size(options: Any, epsilon: float, training: bool = False) -> Attack:
    """PGD of a radius, whose steps together are 2.5 radii long; FGSM of the same ball."""
    steps = options.train_steps if training else options.steps
    return Attack(epsilon, options.norm, steps, LONG * max(epsilon, 1e-6) / steps)


def trained(train: ImageSet, seed: int, settings: Settings, attack: Attack) -> Network:
    """A classifier that has learned from adversarial examples alone, made anew at each step (Madry et al., 2017).

    A network that has learned nothing yet meets no image that it could tell from others in the whole ball, and gives
    all the same class: over the first half of the steps the changes grow from nothing to their full size.
    """
    terminal.show(f"training a classifier on adversarial examples of {len(train):,} images of {train.name}")
    net, state = classifier.fresh(train, seed, settings)

    def logits(variables: Any, images: Any) -> Any:
        return net.apply(variables, 2 * images - 1, (train.num_classes,))["logits"]

    def loss(variables: Any, images: Any, labels: Any, noise: Any, share: Any) -> Any:
        fixed = jax.lax.stop_gradient(variables)
        attacked = pgd(attack, lambda points: cross_entropy(logits(fixed, points), labels), images, noise)
        seen = jax.lax.stop_gradient(images + share * (attacked - images))
        loss = cross_entropy(logits(variables, seen), labels).mean()
        return loss, ({}, variables)

    def prepared(batch: Labelled, step: Any) -> tuple[Any, ...]:
        images, key = scale(batch.images, UNIT), jax.random.fold_in(jax.random.key(seed), step)
        share = jnp.minimum(2.0 * step.astype(jnp.float32) / settings.steps, 1.0)
        return images, batch.labels, _noise(attack, key, images.shape), share

    state = classifier.fit(state, loss, train, seed, settings, prepared)
    return functools.partial(logits, state.variables)


def lines(record: dict[str, Any]) -> list[str]:
    """For a person: a row for each radius."""
    head = f"accuracy on {record['num_test']:,} held-out images of {record['data']}, {record['norm']} balls:"
    names = [(name, kind) for name in SAID for kind in ("fgsm", "pgd")]
    columns = [record["classifiers"][name][kind] for name, kind in names]
    titles = "  ".join(f"{f'{name}, {kind}':>18}" for name, kind in names)
    rows = [
        f"  {points[0]['epsilon']:7.3f}  " + "  ".join(f"{point['accuracy']:18.2%}" for point in points)
        for points in zip(*columns, strict=True)
    ]
    return [head, f"  epsilon  {titles}", *rows, *(f"  {name}: {said}" for name, said in SAID.items())]


def _some(held_out: ImageSet, num: int) -> Images:
    places = np.linspace(0, len(held_out) - 1, min(num, len(held_out))).astype(np.int64)
    batch = held_out.batch(places, Labelled)
    return Images(np.asarray(batch.images), np.asarray(batch.labels), held_out.classes)


def _noise(attack: Attack, key: Any, shape: tuple[int, ...]) -> Any:
    return jax.random.uniform(key, shape, minval=-attack.epsilon, maxval=attack.epsilon)


def _curve(options: Any, kind: str, network: Network, test: Images) -> list[dict[str, float]]:
    """The accuracy for each radius, with an interval of 95 %."""
    found = []
    for epsilon in options.epsilons:
        right = int((_predicted(options, kind, network, test, epsilon) == test.labels).sum())
        low, high = rows.wilson_interval(right, len(test.labels))
        found.append({"epsilon": epsilon, "accuracy": right / len(test.labels), "low": low, "high": high})
    return found


def _predicted(options: Any, kind: str, network: Network, test: Images, epsilon: float) -> np.ndarray:
    attack, key = of_size(options, epsilon), jax.random.key(options.seed)

    @jax.jit
    def classes(images: Any, labels: Any, key: Any) -> Any:
        images = scale(images, UNIT)
        attacked = _attacked(attack, kind, network, (images, labels), key)
        return network(attacked).argmax(axis=1)

    starts = range(0, len(test.labels), CHUNK)
    parts = [(test.pixels[start : start + CHUNK], test.labels[start : start + CHUNK]) for start in starts]
    return np.concatenate([classes(*part, jax.random.fold_in(key, place)) for place, part in enumerate(parts)])


def _attacked(attack: Attack, kind: str, network: Network, batch: tuple[Any, Any], key: Any) -> Any:
    images, labels = batch

    def loss(points: Any) -> Any:
        return cross_entropy(network(points), labels)

    if kind == "fgsm":
        return fgsm(attack, loss, images)
    return pgd(attack, loss, images, _noise(attack, key, images.shape))


def _examples(options: Any, network: Network, test: Images) -> np.ndarray | None:
    """Rows of an image that is read rightly, the change and the sum, which is not; None if there are none."""
    attack = of_size(options, options.shown_epsilon)
    images = scale(jnp.asarray(test.pixels[: 4 * CHUNK]), UNIT)
    labels = jnp.asarray(test.labels[: 4 * CHUNK])
    attacked = jax.jit(lambda: fgsm(attack, lambda points: cross_entropy(network(points), labels), images))()
    before, after = (np.asarray(network(points).argmax(axis=1)) for points in (images, attacked))
    misread = np.flatnonzero((before == test.labels[: len(before)]) & (after != before))[:SHOWN]
    if not len(misread):
        return None
    change = np.asarray(attacked - images)[misread]
    shown = 0.5 + change / (2 * np.abs(change).max(initial=1e-6))
    columns = {
        "image": test.pixels[misread],
        f"{options.shown_epsilon:g} times": np.asarray(to_pixels(jnp.asarray(shown), UNIT)),
        "sum": np.asarray(to_pixels(attacked[misread], UNIT)),
    }
    rows = [f"{test.classes[before[place]]} read as {test.classes[after[place]]}" for place in misread]
    return figures.side_by_side(columns, rows)


def _write(options: Any, record: dict[str, Any], examples: np.ndarray | None) -> None:
    drawn = {
        f"{name}, {kind.upper()}": [curves.Stop(point["epsilon"], point["accuracy"], "") for point in points]
        for name, kinds in record["classifiers"].items()
        for kind, points in kinds.items()
    }
    try:
        files.write(options.out / "adversarial.json", json.dumps(record, indent=2) + "\n")
        with files.replacing(options.out / "accuracy.png") as unfinished:
            unfinished.write_bytes(curves.tradeoff(("epsilon", "accuracy"), drawn, None))
        if examples is not None:
            figures.save_png(options.out / "examples.png", examples)
    except OSError as error:
        raise FolderError(f"cannot write to {options.out}: {error.strerror}") from error
    if examples is None:
        terminal.show(f"no image is misread at --shown-epsilon {options.shown_epsilon:g}: examples.png is not written")
