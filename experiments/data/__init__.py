"""Sets of real images by name, and batches as a pure function of (seed, step).

    digits                          with scikit-learn, no download
    mnist, cifar10, emnist/letters  any image set that tensorflow-datasets has prepared in `data_dir`
    cifar10:cat, cifar10:cat:500    one class of it, or its first 500 training images
    quickdraw:sheep                 one category of Quick, Draw!
    folder:PATH, captions:PATH      a person's own pictures, in a folder or a zip archive; npy:PATH, npz:PATH for arrays
    parquet:PATH, arrow:PATH        tables of pictures, as Hugging Face datasets has them
    pairs:PATH, unpaired:A,B        two images at a time
    few_labels:mnist:100:0          100 images of a set with their labels, drawn with seed 0, and all without
    rare_class:mnist:8:100:0        100 images of each class of a set, and 10 of one
    super_resolution:PATH           pictures, and the same made smaller
    smaller:SET                     the images of a set, and the same made smaller, with their labels
    frontal:PATH:0                  turned faces and frontal ones of the same people, three of whom are held out
    embeddings:clip.npz,captions:PATH    a set of images, its captions as vectors that another network has made
    prompts:fashion_mnist           a labelled set whose captions say the class
    inverted:mnist, edges:mnist     a set whose every image is changed: a second domain of it
    shapes_captions                 drawn shapes with sentences that say which, for text to image
    sprites                         drawn sprites of five known factors, those of dSprites
    ring8, grid25, swiss_roll, two_moons, rings    points in the plane

docs/data.md says more. A set is read without TensorFlow and never downloaded: `experiments.prepare` does that.
"""

import dataclasses
import pathlib
from typing import TYPE_CHECKING, Any

from experiments.data.options import ImageOptions, StorageOptions

if TYPE_CHECKING:
    from experiments.data.collection import Collection
    from experiments.data.images import ImageSet
    from experiments.data.request import Request
    from experiments.runs.experiment import Experiment

__all__ = ["ImageOptions", "StorageOptions", "fingerprint_for", "load", "load_for"]

AS_THEY_ARE, AT_EASE = ImageOptions(), StorageOptions()


def load(
    name: str,
    split: str = "train",
    data_dir: pathlib.Path | None = None,
    images: ImageOptions = AS_THEY_ARE,
    storage: StorageOptions = AT_EASE,
) -> "ImageSet":
    """The set of that name. UserError if there is none, with what would be right.

    Where a set has no split `test`, a fixed tenth of it is `test` and not in `train`; `all` is everything.
    """
    from experiments.data.request import Request

    return _load(name, Request(split, data_dir, images, storage))


def load_for(experiment: "Experiment", split: str = "train") -> "ImageSet":
    """The set that an experiment names, as its settings want it."""
    from experiments.data.request import Request

    where = experiment.data_dir, experiment.images, experiment.storage
    return _load(experiment.data, Request(split, *where, experiment.tokenizer))


def fingerprint_for(experiment: "Experiment") -> dict[str, Any]:
    """What identifies the data that an experiment names, as JSON; UserError if they are not there."""
    from experiments.data import collection
    from experiments.data.request import Request

    request = Request("all", experiment.data_dir, experiment.images, experiment.storage)
    return collection.fingerprint(_by_name(experiment.data, request)).to_json()


def _load(name: str, request: "Request") -> "ImageSet":
    from experiments.data import parts
    from experiments.data.images import window_of

    image_set = parts.cut(_by_name(name, request), request)
    stored = tuple(image_set.images.shape[1:])
    window = window_of(stored, request.images) if len(stored) == 3 else None
    return dataclasses.replace(image_set, window=window)


def _by_name(name: str, request: "Request") -> "Collection":
    """All parts of the set of that name."""
    from experiments.command_line.errors import UserError
    from experiments.data import (
        arrays,
        captions,
        changed,
        digits,
        domains,
        embeddings,
        few_labels,
        folders,
        frontal,
        prepared,
        prompts,
        quickdraw,
        reduced,
        shapes_captions,
        smaller,
        sprites,
        tables,
        toys,
    )

    scheme, colon, rest = name.partition(":")
    match scheme:
        case "":
            raise UserError("--data is empty; name a data set, for example --data digits")
        case "digits":
            return digits.collection(rest if colon else None)
        case "folder" | "zip":
            return folders.collection(rest)
        case "parquet" | "arrow":
            return tables.collection(scheme, rest)
        case "pairs":
            return domains.pairs(rest, swap=request.images.swap)
        case "unpaired":
            return domains.unpaired(rest, lambda one: _by_name(one, request))
        case "super_resolution":
            return reduced.collection(rest, request, lambda one: _by_name(one, request))
        case "smaller":
            return smaller.collection(rest, request, lambda one: _by_name(one, request))
        case "frontal":
            return frontal.collection(rest, request)
        case "few_labels":
            return few_labels.collection(rest, lambda one: _by_name(one, request))
        case "rare_class":
            return few_labels.rare_class(rest, lambda one: _by_name(one, request))
        case "npy":
            return arrays.npy(rest)
        case "npz":
            return arrays.npz(rest)
        case "captions":
            return captions.collection(rest)
        case "embeddings":
            return embeddings.collection(rest, lambda one: _by_name(one, request))
        case "quickdraw":
            return quickdraw.collection(rest, request.folder)
        case "inverted" | "edges":
            return changed.collection(scheme, _by_name(rest, request))
        case "prompts":
            return prompts.collection(_by_name(rest, request))
        case shapes_captions.NAME if not colon:
            return shapes_captions.collection()
        case sprites.NAME if not colon:
            return sprites.collection()
        case _ if scheme in toys.TOYS and not colon:
            return toys.collection(scheme)
    return prepared.collection(name, request.folder)
