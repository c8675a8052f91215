"""What classes the categorical codes of a generator stand for: InfoGAN's, which has seen no label.

Chen et al.: InfoGAN, 2016, arXiv 1606.03657, section 7.2: Q names the code of a held-out image, each code is given a
class, and the share of images whose class that is counts as accuracy. The best class for each code may come twice
(purity); with one code for each class the codes are a classifier.
"""

from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from experiments.data.images import ImageSet
from experiments.evaluation import sets
from experiments.evaluation.sets import Run
from experiments.models import abilities

MOST_IMAGES = 10_000
"""Held-out ones that are named, at most."""


def judge(run: Run, test: ImageSet | None) -> list[dict[str, Any]]:
    """What each categorical code stands for; nothing for a model without any, or for images without labels."""
    config: Any = run.experiment.model
    if test is None or not abilities.names_codes(config):
        return []
    held_out = sets.spread(test, MOST_IMAGES)
    if held_out.labels is None:
        return []
    found = abilities.code_namer(config)(run.state, held_out.pixels)
    sizes = zip(found.T, config.codes.categorical, strict=True)
    return [name(column, held_out.labels, num, test.num_classes) for column, num in sizes]


def name(codes: np.ndarray, labels: np.ndarray, num_codes: int, num_classes: int) -> dict[str, Any]:
    """The best class of each code that is in use, and the shares of images that are of their code's class."""
    counts = counted(codes, labels, num_codes, num_classes)
    return {
        "num": len(codes),
        "names": {code: int(row.argmax()) for code, row in enumerate(counts) if row.any()},
        "purity": round(float(counts.max(axis=1).sum() / len(codes)), 4),
        "one_to_one": round(float(one_to_one(codes, labels, counts).mean()), 4),
    }


def counted(codes: np.ndarray, labels: np.ndarray, num_codes: int, num_classes: int) -> np.ndarray:
    """How many images have each code (rows) and each class (columns)."""
    counts = np.zeros((num_codes, num_classes), np.int64)
    np.add.at(counts, (codes, labels), 1)
    return counts


def one_to_one(codes: np.ndarray, labels: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Whether each image is of the class of its code, where no two codes have one class; as many as can be."""
    right = np.zeros(counts.shape, bool)
    right[linear_sum_assignment(counts, maximize=True)] = True
    return right[codes, labels]


def lines(found: list[dict[str, Any]], classes: tuple[str, ...]) -> list[str]:
    """What a person reads of it."""
    text = []
    for place, one in enumerate(found):
        named = ", ".join(f"{code} {classes[best]}" for code, best in one["names"].items())
        text += [
            f"categorical code {place}: {one['num']:,} held-out images, {one['purity']:.1%} of the class that is the "
            f"best for their code, {one['one_to_one']:.1%} with no class for two codes",
            f"{'best class of each code':<24} {named}",
        ]
    return text
