"""Judge a run's samples by a classifier that never saw the run: `python -m experiments.evaluate RUN`.

A support vector machine (RBF kernel, scikit-learn) is fitted to the real training images and their labels. It then
says, for real held-out images and for samples alike, how many it recognises with a probability of at least 0.9, and as
what. The held-out images tell the scale: no claim without their figures and the classifier's accuracy beside it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from experiments import cli, data, files
from experiments.experiment import UserError
from experiments.files import FolderError
from jaxgen.checks import require

CONFIDENT = 0.9


@dataclass(frozen=True)
class Options:
    """How many samples to judge."""

    num: int = 1_000  # samples to judge
    seed: int = 0  # of the latents
    max_train: int = 10_000  # real images to fit the classifier to, at most
    step: int | Literal["newest", "best"] = "newest"  # whose checkpoint: the newest, the best, or a step's own

    def __post_init__(self):
        require(self.num >= 1, "--num", self.num, "at least 1")
        require(0 <= self.seed < 2**32, "--seed", self.seed, "in [0, 2^32)")
        require(self.max_train >= 100, "--max-train", self.max_train, "at least 100")
        require(not isinstance(self.step, int) or self.step >= 1, "--step", self.step, "at least 1")


def main(argv: Sequence[str]) -> int:
    """Print a table and write RUN/evaluation.json."""
    folder, options = cli.run_folder(argv)
    if folder is None:
        print("usage: python -m experiments.evaluate RUN [options]")
        return 0
    chosen = cli.parse(
        Options,
        Options(),
        options,
        prog="python -m experiments.evaluate RUN",
        description=(__doc__ or "").partition("\n")[0],
    )
    from experiments import runs, sample

    name, experiment = runs.read(folder)
    train, test = (data.load_for(experiment, split) for split in ("train", "test"))
    if train.labels is None or test.labels is None:
        raise UserError(f"{train.name} has no labels to fit a classifier to")
    some = np.arange(min(len(train), chosen.max_train))
    real = test.batch(np.arange(len(test)))
    classify = fit(train.batch(some), train.labels[some])
    step, samples = sample.draw(folder, chosen.num, chosen.seed, chosen.step)
    result = {
        "experiment": name,
        "step": step,
        "seed": chosen.seed,
        "data": train.name,
        "classifier": f"SVC(kernel='rbf', C=10) on {len(some)} train images",
        "classifier_accuracy": float((classify(real).argmax(1) == test.labels).mean()),
        "real": recognition(classify(real)),
        "samples": recognition(classify(samples)),
    }
    try:
        files.write(folder / "evaluation.json", json.dumps(result, indent=2) + "\n")
    except OSError as error:
        raise FolderError(f"cannot write {folder / 'evaluation.json'}: {error.strerror}") from error
    _show(result, test.classes)
    return 0


def fit(images: np.ndarray, labels: np.ndarray) -> Any:
    """A function from uint8 images to class probabilities (num, classes), fitted to real images."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.svm import SVC

    machine = CalibratedClassifierCV(SVC(C=10.0), ensemble=False)  # pyright: ignore[reportArgumentType]
    machine.fit(_flat(images), labels)
    return lambda pixels: machine.predict_proba(_flat(pixels))


def recognition(probabilities: np.ndarray) -> dict[str, Any]:
    """Share recognised with probability >= 0.9, and the share that each class has of all."""
    classes = np.bincount(probabilities.argmax(1), minlength=probabilities.shape[1])
    return {
        "num": len(probabilities),
        "confident_share": float((probabilities.max(1) >= CONFIDENT).mean()),
        "class_shares": (classes / len(probabilities)).round(4).tolist(),
    }


def _flat(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1) / 255.0


def _show(result: dict[str, Any], classes: tuple[str, ...]) -> None:
    print(f"{result['experiment']} at step {result['step']:,}, seed {result['seed']}, {result['data']}")
    print(f"classifier: {result['classifier']}, {result['classifier_accuracy']:.1%} right on held-out ones")
    print(f"{'':<10}{'number':>8}{'p >= 0.9':>10}  share of each class " + " ".join(f"{c:>5}" for c in classes))
    for kind in ("real", "samples"):
        row = result[kind]
        shares = " ".join(f"{share:5.3f}" for share in row["class_shares"])
        print(f"{kind:<10}{row['num']:>8,}{row['confident_share']:>10.1%}{'':<22}{shares}")
    share = result["samples"]["confident_share"] / result["real"]["confident_share"]
    print(f"samples reach {share:.1%} of the real figure")


if __name__ == "__main__":
    cli.run(main)
