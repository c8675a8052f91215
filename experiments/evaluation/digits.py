"""The judge of the 8x8 digits: a support vector machine that never saw the run.

With a radial kernel (scikit-learn) it is fitted to real training images and their labels. It says, for held-out images
and for samples alike, how many it recognises with a probability of at least 0.9, and as what.
"""

from typing import Any

import numpy as np

from experiments.evaluation.measures import CONFIDENT


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


def judge(train: tuple[np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray], samples: np.ndarray) -> Any:
    """What it says of held-out images and of samples, and how often it is right; images come with their labels."""
    classify = fit(*train)
    images, labels = test
    return {
        "classifier": f"SVC(kernel='rbf', C=10) on {len(train[0])} train images",
        "accuracy": float((classify(images).argmax(1) == labels).mean()),
        "real": recognition(classify(images)),
        "samples": recognition(classify(samples)),
    }


def lines(found: dict[str, Any], classes: tuple[str, ...]) -> list[str]:
    """What a person reads of it."""
    told = [
        f"judge: {found['classifier']}, {found['accuracy']:.1%} right on held-out ones",
        f"{'':<10}{'number':>8}{'p >= 0.9':>10}  share of each class " + " ".join(f"{name:>5}" for name in classes),
    ]
    for kind in ("real", "samples"):
        row = found[kind]
        shares = " ".join(f"{share:5.3f}" for share in row["class_shares"])
        told.append(f"{kind:<10}{row['num']:>8,}{row['confident_share']:>10.1%}{'':<22}{shares}")
    share = found["samples"]["confident_share"] / max(found["real"]["confident_share"], 1e-9)
    return [*told, f"samples reach {share:.1%} of the real figure"]


def _flat(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1) / 255.0
