"""What labels tell of samples: does a classifier of samples recognise real images, do samples of a class vary?

- Ravuri, Vinyals: Classification Accuracy Score for Conditional Generative Models, 2019, arXiv 1905.10887.
- Sokolova, Lapalme: A systematic analysis of performance measures for classification tasks, 2009, Information
  Processing and Management 45 (F1 of several labels).
- Shmelkov, Schmid, Alahari: How good is my GAN?, 2018, arXiv 1807.09499 (GAN-train and GAN-test).
"""

import functools
from collections.abc import Callable
from typing import TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool

from jaxgen.batches import Labelled
from jaxgen.checks import require
from jaxgen.losses._arrays import Floats, Integers, arrays, class_numbers, ranked
from jaxgen.metrics._samples import unless_nan
from jaxgen.typing import Batch, Scalar

Classifier: TypeAlias = Callable[[Batch], Floats]
"""Images to logits or probabilities, (B, classes)."""


def accuracy(logits: Floats, labels: Integers, *, top: int = 1) -> Scalar:
    """The share of examples whose class is among the `top` likeliest; of equal logits the lowest class is likelier.

    Args:
        logits: or probabilities, (B, classes).
        labels: (B,).
        top: 1, or 5 for top-5 accuracy.

    Raises:
        ValueError: unless logits are (B, classes), labels (B,) integers and top from 1 to the number of classes.

    >>> import jax.numpy as jnp
    >>> accuracy(jnp.array([[0.1, 0.9], [0.8, 0.2]]), jnp.array([1, 1]))
    Array(0.5, dtype=float32)
    """
    (logits,) = ranked("B, classes", logits=logits)
    require(1 <= top <= logits.shape[1], "top", top, f"from 1 to the {logits.shape[1]} classes")
    arrays(labels=labels)
    if labels.shape != logits.shape[:1]:
        raise ValueError(f"labels have shape {labels.shape}, but must be {logits.shape[:1]}, one for each example")
    labels = class_numbers(labels, logits)
    _, likeliest = jax.lax.top_k(logits, top)
    return unless_nan((likeliest == labels[:, None]).any(axis=1).mean(dtype=logits.dtype), logits)


def micro_f1(logits: Floats, targets: Bool[Array, "..."]) -> Scalar:
    """2 TP / (2 TP + FP + FN), counted over all labels together; 0 where no label is there or named.

    Args:
        logits: (B, L); a label is named where its logit is above 0.
        targets: (B, L), whether an example has a label.

    Raises:
        ValueError: unless logits and targets are (B, L), the targets of booleans.

    >>> import jax.numpy as jnp
    >>> micro_f1(jnp.array([[1.0, -1.0], [1.0, 1.0]]), jnp.array([[True, False], [False, True]]))
    Array(0.8, dtype=float32)
    """
    logits, hits, wrong = _counted(logits, targets)
    return unless_nan(_f1(hits.sum(), wrong.sum()), logits)


def macro_f1(logits: Floats, targets: Bool[Array, "..."]) -> Scalar:
    """The mean over labels of 2 TP / (2 TP + FP + FN), which is 0 for a label that is neither there nor named.

    Arguments and errors are those of `micro_f1`.

    >>> import jax.numpy as jnp
    >>> macro_f1(jnp.array([[1.0, -1.0], [1.0, 1.0]]), jnp.array([[True, False], [False, True]])).round(4)
    Array(0.8333, dtype=float32)
    """
    logits, hits, wrong = _counted(logits, targets)
    return unless_nan(_f1(hits, wrong).mean(), logits)


def _counted(logits: Floats, targets: Bool[Array, "..."]) -> tuple[Floats, Floats, Floats]:
    """The logits, and for each label how often it is named rightly, and wrongly or not at all where it is there."""
    (logits,) = ranked("B, L", logits=logits)
    arrays(targets=targets)
    if targets.shape != logits.shape or targets.dtype != bool:
        raise ValueError(f"targets are {targets.dtype} {targets.shape}, but must be bool {logits.shape}")
    named = logits > 0
    hits, wrong = (each.sum(axis=0, dtype=logits.dtype) for each in (named & targets, named != targets))
    return logits, hits, wrong


def _f1(hits: Floats, wrong: Floats) -> Floats:
    """TP and FP + FN to F1."""
    return 2.0 * hits / jnp.maximum(2.0 * hits + wrong, 1.0)


def within_class_variety(features: Floats, labels: Integers, *, num_classes: int) -> Scalar:
    """E|f - f'|^2 of two different examples of one class, averaged over the classes that have two or more.

    Over that of real examples it is near 0 where a conditional model ignores its latents, and about 1 where samples of
    a class vary as the data do. Written as twice the variance, without bias, summed over the features.

    Args:
        features: (B, d).
        labels: (B,), the class that each example has or was asked for.
        num_classes: K; labels are below it.

    Raises:
        ValueError: unless features are (B, d) and labels (B,) integers.

    >>> import jax.numpy as jnp
    >>> within_class_variety(jnp.array([[0.0], [2.0], [9.0]]), jnp.array([0, 0, 1]), num_classes=2)
    Array(4., dtype=float32)
    """
    (features,) = ranked("B, d", features=features)
    arrays(labels=labels)
    if labels.shape != features.shape[:1] or not jnp.issubdtype(labels.dtype, jnp.integer):
        raise ValueError(f"labels are {labels.dtype} {labels.shape}, but must be integers {features.shape[:1]}")
    sums = functools.partial(jax.ops.segment_sum, segment_ids=labels, num_segments=num_classes)
    counts = sums(jnp.ones_like(features[:, 0]))
    means = sums(features) / jnp.maximum(counts, 1.0)[:, None]
    squares = sums(((features - means[labels]) ** 2).sum(axis=1))
    variances = jnp.where(counts > 1, squares / jnp.maximum(counts - 1.0, 1.0), 0.0)
    classes = (counts > 1).sum(dtype=features.dtype)
    return unless_nan(2.0 * variances.sum() / jnp.maximum(classes, 1.0), features)


def classification_accuracy_score(
    fit: Callable[[Labelled], Classifier], samples: Labelled, real: Labelled, *, top: int = 1
) -> Scalar:
    """Accuracy on real images of a classifier fitted to samples: section 3 of arXiv 1905.10887 (GAN-train).

    Report it together with the same for real training images: the gap is what the model has lost. With real training
    images and held-out samples exchanged it is GAN-test. Samples are as many as the real training images.

    Args:
        fit: labelled images to a classifier.
        samples: conditional samples and the labels that they were generated for.
        real: held-out images and labels.
        top: 1, or 5 for top-5 accuracy.

    Raises:
        ValueError: if labels do not fit the images.

    >>> import jax.numpy as jnp
    >>> nearest = lambda train: lambda x: -jnp.abs(x - jax.ops.segment_sum(train.images[:, 0], train.labels, 2)[None])
    >>> samples = Labelled(jnp.array([[0.0], [3.0]]), jnp.array([0, 1]))
    >>> real = Labelled(jnp.array([[1.0], [2.0], [4.0]]), jnp.array([0, 0, 1]))
    >>> classification_accuracy_score(nearest, samples, real).round(4)
    Array(0.6667, dtype=float32)
    """
    for name, batch in (("samples", samples), ("real", real)):
        if not isinstance(batch, Labelled):
            raise ValueError(f"{name} is a {type(batch).__name__}, but must be Labelled(images, labels)")
        arrays(**{f"images of {name}": batch.images, f"labels of {name}": batch.labels})
        if batch.images.shape[:1] == (0,):
            raise ValueError(f"images of {name} have shape {batch.images.shape}, but must hold an example")
        if batch.labels.shape != batch.images.shape[:1]:
            raise ValueError(
                f"labels of {name} have shape {batch.labels.shape}, but must be {batch.images.shape[:1]}, "
                "one for each image"
            )
    return accuracy(fit(samples)(real.images), real.labels, top=top)
