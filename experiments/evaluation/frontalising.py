"""Frontal views of turned faces: PSNR and rank-1 recognition for each pose, by an embedding of other people.

The gallery holds the straight faces of all people of the set, those of the training included. A face is looked up among
all of them but its own target, so that it must be recognised in another picture of the person.
"""

import pathlib
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from experiments import data
from experiments.command_line.errors import UserError
from experiments.data import frontal
from experiments.evaluation import pairs, recognising, rows, sets
from experiments.evaluation.recognising import Embedding
from experiments.runs.run_data import Place
from jaxgen.batches import LabelledPaired

SAID = {"identity": "the turned face itself", "samples": "the run", "real": "the straight face"}
"""What is looked up."""

ALL = "all"
"""Of the poses, beside each of them."""

Values = dict[str, dict[str, np.ndarray]]
"""By what is looked up, then by measure: a value for each face."""


class Judged(NamedTuple):
    """The held-out faces of a run."""

    values: Values
    poses: np.ndarray  # (num, poses) of 1 and 0
    num_gallery: int
    num_people: int


def evaluate(
    folders: Sequence[pathlib.Path],
    people: str,
    step: int | Literal["newest", "best"] = "newest",
    seed: int = 0,
    data_dir: pathlib.Path | None = None,
) -> dict[str, Any]:
    """PSNR and rank-1 of each set of faces for each pose, over all runs; what identity.json of the first then holds.

    UserError for a set of people that has no labels or is a run's, or a run whose data are no folds of `frontal:`, or
    the same fold as another's.
    """
    runs = [sets.run(folder, step, place=Place(data_dir=data_dir)) for folder in folders]
    names = [run.experiment.data for run in runs]
    for name in names:
        scheme, _, rest = name.partition(":")
        recognising.check_people(people, f"{scheme}:folder:{rest.rpartition(':')[0]}")
        if scheme != "frontal":
            raise UserError(f"{name} has no turned and straight faces; give runs on frontal:PATH:FOLD")
    if len(set(names)) < len(names):
        raise UserError(f"the runs are of {', '.join(names)}: give each fold once")
    first = runs[0].experiment
    embed = recognising.embedding(people, first.model.image_shape, seed, first.data_dir)
    judged = [_judge(run, embed, seed) for run in runs]
    values: Values = {
        name: {measure: np.concatenate([one.values[name][measure] for one in judged]) for measure in ("psnr", "hits")}
        for name in SAID
    }
    poses = np.concatenate([one.poses for one in judged]).astype(bool)
    chosen = {pose: poses[:, place] for place, pose in enumerate(frontal.POSES)} | {ALL: np.ones(len(poses), bool)}
    found: dict[str, Any] = {"format": 1, "experiment": runs[0].name, "step": [run.step for run in runs], "seed": seed}
    found |= {"data": names, "people": people, "embedding": embed.said}
    found |= {"num_gallery": judged[0].num_gallery, "num_people": judged[0].num_people}
    found["poses"] = {pose: _summary(values, which, seed) for pose, which in chosen.items()}
    recognising.write(folders[0], found)
    return found


def _judge(run: sets.Run, embed: Embedding, seed: int) -> Judged:
    """The held-out faces of a run against the straight faces of all people."""
    train, test = (data.load_for(run.experiment, split) for split in ("train", "test"))
    wanted, seen = (each.batch(np.arange(len(each)), LabelledPaired) for each in (test, train))
    targets, labels = np.asarray(wanted.targets), np.asarray(wanted.labels)
    every = np.concatenate([targets, np.asarray(seen.targets)]), np.concatenate([labels, np.asarray(seen.labels)])
    _, places = np.unique(every[0].reshape(len(every[0]), -1), axis=0, return_index=True)
    gallery, owners = (each[places] for each in every)
    own = np.stack([(gallery == target).all(axis=(1, 2, 3)) for target in targets])
    right = (labels[:, None] == owners[None]) & ~own
    known = embed.features(gallery)
    faces = {"identity": np.asarray(wanted.inputs), "samples": run.draw(len(test), seed).pixels, "real": targets}
    found = {
        name: {
            "psnr": _psnr(pixels, targets),
            "hits": recognising.recognised(embed.features(pixels), known, right, own),
        }
        for name, pixels in faces.items()
    }
    poses = test.attributes() if callable(test.attributes) else test.attributes
    return Judged(found, np.asarray(poses), len(gallery), len(set(owners.tolist())))


def _psnr(images: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """In dB for each face; infinite for a target itself."""
    measures = {each.name: each for each in pairs.measures(pairs.Pairs({}, targets, images))}
    return np.asarray(measures["psnr"].compare(images, targets))


def _summary(values: Values, which: np.ndarray, seed: int) -> dict[str, Any]:
    """Means of the chosen faces with intervals; no PSNR of the targets themselves."""
    found: dict[str, Any] = {}
    for name, measured in values.items():
        found[name] = recognising.share(measured["hits"][which])
        if name != "real":
            cell = rows.mean_cell(measured["psnr"][which], seed)
            found[name] |= {"psnr": cell.value, "psnr_low": cell.low, "psnr_high": cell.high}
    return found


def lines(found: dict[str, Any]) -> list[str]:
    """For a person."""
    lines = [
        f"rank-1 among {found['num_gallery']:,} straight faces of {found['num_people']:,} people, and PSNR in dB, of "
        f"held-out people of {len(found['data'])} fold{'s' if len(found['data']) > 1 else ''}:"
    ]
    for pose, of_pose in found["poses"].items():
        lines.append(f"  {pose}, {of_pose['samples']['num']:,} faces")
        for name, cell in of_pose.items():
            line = f"    {SAID[name]:22} {cell['rank_1']:7.2%}  [{cell['low']:.2%}, {cell['high']:.2%}]"
            if "psnr" in cell:
                line += f"  {cell['psnr']:5.2f}  [{cell['psnr_low']:.2f}, {cell['psnr_high']:.2f}]"
            lines.append(line)
    return [*lines, f"by {found['embedding']}"]
