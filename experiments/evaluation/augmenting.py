"""What samples of a model are worth to a classifier that learns from few images: beside nothing, and classical changes.

Ravuri, Vinyals: Classification Accuracy Score for Conditional Generative Models, 2019, arXiv 1905.10887: the accuracy
on real images of a classifier of samples alone.
"""

import json
import math
import pathlib
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import scipy.stats

from experiments import data
from experiments.command_line import terminal
from experiments.command_line.errors import FolderError, UserError
from experiments.data import held_out
from experiments.data.images import ImageSet
from experiments.evaluation import classifier, sets
from experiments.evaluation.classifier import Settings
from experiments.models import abilities, classes, sampling
from experiments.models.chunks import in_chunks
from experiments.runs import files, run_folder
from experiments.runs.run_data import Place
from jaxgen.batches import Labelled
from jaxgen.gans.augmentation_draws import Blit, Color, Geometry
from jaxgen.gans.augmentation_pipeline import Pipeline
from jaxgen.images import scale
from jaxgen.losses import cross_entropy
from jaxgen.parallel import example_keys

RANGE = (-1.0, 1.0)
SAID = {
    "alone": "the images as they are",
    "repeated": "images of small classes repeated, up to the largest",
    "changed": "the images shifted, turned and scaled",
    "filled up": "samples added to small classes, up to the largest",
    "with samples": "images and samples, about half of each",
    "changed, with samples": "both, shifted, turned and scaled",
    "samples alone": "samples: the classification accuracy score",
}
"""The ways to learn from the same few images, and what each trains on."""

OF_UNEQUAL = ("repeated", "filled up")
"""Ways that there are where classes are unequal."""


class Way(NamedTuple):
    """What a classifier learns from."""

    images: ImageSet
    changed: bool = False


def evaluate(folder: pathlib.Path, options: Any) -> dict[str, Any]:
    """Accuracies on held-out images for each way and seed; what augmentation.json then holds.

    UserError for a model that is not told classes, and for data without labels or without any that are held out.
    """
    config = run_folder.read(folder)[1].model
    if not (abilities.makes_images(config) and abilities.has_classes(config)):
        raise UserError(f"{folder} is a run of {abilities.name_of(config)}, which is told no class; give one of cgan")
    run = sets.run(folder, options.step, place=Place(data_dir=options.data_dir))
    few, test = data.load_for(run.experiment), held_out.load_for(run.experiment)
    if reason := classifier.why_not(few) or classifier.why_not_judged(test):
        raise UserError(f"{reason}; choose another run")
    assert test is not None
    _require_enough(options, config)
    samples = run.draw(options.num_samples, options.seed, classes.in_turn(config))
    found: dict[str, Any] = {}
    for name, way in ways(few, samples).items():
        found[name] = judged(way, test, options, settings_of(options))
        terminal.show(f"{name}: done")
    rarest = int(np.bincount(_labels(few), minlength=few.num_classes).argmin())
    record = {"format": 1, "experiment": run.name, "step": run.step, "data": run.experiment.data}
    record |= {"seeds": list(_seeds(options)), "num_train": len(few), "num_test": len(test)}
    record |= {name: getattr(options, name) for name in ("num_samples", "steps", "mirror")}
    record |= {"classes": list(few.classes), "level": 0.95, "rarest": rarest if _unequal(few) else None, "ways": found}
    try:
        files.write(folder / "augmentation.json", json.dumps(record, indent=2) + "\n")
    except OSError as error:
        raise FolderError(f"cannot write {folder / 'augmentation.json'}: {error.strerror}") from error
    return record


def _require_enough(options: Any, config: Any) -> None:
    """UserError for fewer samples than classes, or more than fit into memory."""
    if options.num_samples < config.num_classes:
        raise UserError(
            f"--num-samples is {options.num_samples}, but must be at least {config.num_classes}, one a class"
        )
    sampling.require_memory("--num-samples", options.num_samples, config.image_shape)


def lines(record: dict[str, Any]) -> list[str]:
    """For a person: a row for each way, with the recall of the rarest class where classes are unequal."""
    head = (
        f"accuracy on {record['num_test']:,} held-out images of a classifier of {record['num_train']:,}, "
        f"{len(record['seeds'])} seeds:"
    )
    rows = []
    for name, found in record["ways"].items():
        row = f"  {name:21}  {_said(found['accuracy'])}"
        if record["rarest"] is not None:
            row += f"   of {record['classes'][record['rarest']]!r} {_said(found['recalls'][record['rarest']])}"
        rows.append(f"{row}   {SAID[name]}")
    return [head, *rows]


def ways(few: ImageSet, samples: sets.Examples) -> dict[str, Way]:
    """What each classifier learns from, by name, in the order of `SAID`.

    `samples` are of all classes; where few are needed of a class they are its first ones.
    """
    own = few.batch(np.arange(len(few)), Labelled)
    drawn: Any = samples.pixels, samples.labels
    made = Labelled(*drawn)
    repeats = max(1, round(len(made.labels) / len(own.labels)))
    both = _joined(few, *[own] * repeats, made)
    found = {
        "alone": Way(few),
        "repeated": Way(_joined(few, own, _missing(own, own, few.num_classes))),
        "changed": Way(few, changed=True),
        "filled up": Way(_joined(few, own, _missing(own, made, few.num_classes))),
        "with samples": Way(both),
        "changed, with samples": Way(both, changed=True),
        "samples alone": Way(_joined(few, made)),
    }
    return {name: way for name, way in found.items() if _unequal(few) or name not in OF_UNEQUAL}


def fitted(way: Way, seed: int, chosen: Settings, mirror: bool = False) -> Any:
    """A classifier that has learned from a set: uint8 images to logits, (num, classes).

    Args:
        way: the set, and whether its images are changed at each step.
        seed: of the weights, the order of images and the changes.
        chosen: how it is made.
        mirror: whether half of the images that are changed are mirrored, too.
    """
    net, state = classifier.fresh(way.images, seed, chosen)

    def logits(variables: Any, images: Any) -> Any:
        return net.apply(variables, images, (way.images.num_classes,))["logits"]

    def loss(variables: Any, images: Any, labels: Any) -> Any:
        return cross_entropy(logits(variables, images), labels).mean(), ({}, variables)

    def prepared(batch: Labelled, step: Any) -> tuple[Any, Any]:
        images = scale(batch.images, RANGE)
        return change(images, step, seed, mirror) if way.changed else images, batch.labels

    state = classifier.fit(state, loss, way.images, seed, chosen, prepared)
    named = jax.jit(lambda variables, pixels: logits(variables, scale(pixels, RANGE)))
    return lambda pixels: in_chunks(lambda chunk: named(state.variables, chunk), pixels)


def change(images: Any, step: Any, seed: int, mirror: bool) -> Any:
    """What leaves a class what it is: shifts to an eighth of a side, turns to 15 degrees, scales; no colours.

    Args:
        images: in [-1, 1], (num, height, width, channels).
        step: of the training; with the seed it gives the changes.
        seed: of the classifier.
        mirror: whether half of the images are mirrored, too.
    """
    changes = Pipeline(
        Blit(mirror=1.0 if mirror else 0.0, quarter_turn=0.0),
        Geometry(stretch=0.0, shift=0.0, scale_std=0.1, angle=math.pi / 12),
        Color(brightness=0.0, contrast=0.0, luma_flip=0.0, hue=0.0, saturation=0.0),
    )
    keys = example_keys(jax.random.fold_in(jax.random.key(seed), step), len(images))
    return changes.transform(images, jnp.float32(1.0), keys)


def settings_of(options: Any) -> Settings:
    """How each classifier is made."""
    return Settings(steps=options.steps)


def judged(way: Way, test: ImageSet, options: Any, chosen: Settings) -> dict[str, Any]:
    """Accuracy on held-out images, and the recall of each class, for all seeds."""
    pixels, labels = np.asarray(test.batch(np.arange(len(test)))), _labels(test)
    right = []
    for seed in _seeds(options):
        logits = fitted(way, seed, chosen, options.mirror)(pixels)
        right.append(logits.argmax(axis=1) == labels)
    recalls = [[float(one[labels == label].mean()) for one in right] for label in range(test.num_classes)]
    return {
        "num_images": len(way.images),
        "accuracy": interval([float(one.mean()) for one in right]),
        "recalls": list(map(interval, recalls)),
    }


def interval(values: list[float]) -> dict[str, Any]:
    """The mean over seeds with the ends of Student's interval of 95 %, and the values; no ends for one seed."""
    mean, num = float(np.mean(values)), len(values)
    margin = scipy.stats.t.ppf(0.975, num - 1) * float(np.std(values, ddof=1)) / math.sqrt(num) if num > 1 else None
    ends = {} if margin is None else {"low": mean - float(margin), "high": mean + float(margin)}
    return {"mean": mean, "values": values} | ends


def _said(found: dict[str, Any]) -> str:
    ends = f"  [{found['low']:.2%}, {found['high']:.2%}]" if "low" in found else ""
    return f"{found['mean']:7.2%}{ends}"


def _seeds(options: Any) -> range:
    return range(options.seed, options.seed + options.num_seeds)


def _labels(image_set: ImageSet) -> np.ndarray:
    return np.asarray(image_set.labels)


def _unequal(few: ImageSet) -> bool:
    return classes.unequal(_labels(few), few.num_classes)


def _joined(few: ImageSet, *parts: Labelled) -> ImageSet:
    """A set of the classes of the few."""
    images, labels = (np.concatenate(leaves) for leaves in zip(*parts, strict=True))
    return ImageSet(few.name, images, labels, few.classes)


def _missing(own: Labelled, source: Labelled, num_classes: int) -> Labelled:
    """Of each class as many of the source, over and over, as make it as large as the largest."""
    counts = np.bincount(own.labels, minlength=num_classes)
    there = [np.flatnonzero(source.labels == label) for label in range(num_classes)]
    places = [np.resize(each, (counts.max() - num) * bool(len(each))) for each, num in zip(there, counts, strict=True)]
    chosen = np.concatenate(places).astype(np.int64)
    return Labelled(source.images[chosen], source.labels[chosen])
