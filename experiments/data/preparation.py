"""Data sets downloaded and prepared once: with tensorflow-datasets, or one file of Quick, Draw!."""

import importlib.util
import pathlib
import urllib.parse
from typing import Any

from experiments.command_line.errors import UserError
from experiments.data import downloads, known, prepared, quickdraw, shapes_captions, sprites, toys
from experiments.data.request import AROUND, OWN, nearest

AT_HAND = ("digits", shapes_captions.NAME, sprites.NAME, *toys.TOYS)


def prepare(name: str, folder: pathlib.Path) -> str:
    """Get a set unless it is there; a sentence that says what was done. UserError if it cannot be."""
    scheme, _, rest = name.partition(":")
    if name in AT_HAND:
        return f"{name} needs no preparing: python -m experiments.train wgan_gp_digits --data {name}"
    if scheme in AROUND:
        return prepare(rest, folder)
    if scheme in OWN:
        return f"{name} is your own data and needs no preparing: give it to train as it is, with --data {name!r}"
    if scheme == "quickdraw":
        return _quickdraw(rest, folder)
    return _with_tfds(scheme, folder)


def _quickdraw(category: str, folder: pathlib.Path) -> str:
    there = quickdraw.file_of(category, folder)
    if there:
        return f"quickdraw:{category} is prepared already, in {there}"
    infos = quickdraw.url_infos()
    url = f"{quickdraw.URL}/{category}.npy"
    if url not in infos:
        names = [one.removeprefix(f"{quickdraw.URL}/").removesuffix(".npy") for one in infos]
        raise UserError(f"Quick, Draw! has no category {category!r}; {nearest(category, names)}")
    path = folder / quickdraw.file_names(category)[0]
    quoted = urllib.parse.quote(url, safe=":/")
    size, sha256 = infos[url]
    why = downloads.unreachable(quoted)
    if why:
        raise UserError(f"no network ({why}): fetch {quoted} ({size / 1e6:,.0f} MB) elsewhere and put it to {path}")
    downloads.fetch(quoted, path, size, sha256)
    return f"quickdraw:{category} is prepared, in {path}"


def _with_tfds(name: str, folder: pathlib.Path) -> str:
    there = prepared.version_of(name, folder)
    if there:
        prepared.opened(name, folder)
        return f"{name} is prepared already, in {there}"
    builder = _builder(name, folder)
    urls = builder.url_infos or {}
    if urls:
        url = next((url for url in urls if name.rpartition("/")[2] in url), next(iter(urls)))
        why = downloads.unreachable(url)
        if why:
            place = pathlib.Path(builder.data_path)
            raise UserError(
                f"no network ({why}): {name} comes from {url}; run this command on a machine that has one, and copy "
                f"the folder {place.relative_to(folder)} that it makes to {place}"
            )
    if importlib.util.find_spec("tensorflow") is None:
        raise UserError(f"preparing {name} needs TensorFlow once: pip install -e '.[prepare]'; reading it does not")
    _download_and_prepare(name, builder)
    return f"{name} is prepared, in {builder.data_path}"


def _builder(name: str, folder: pathlib.Path) -> Any:
    import tensorflow_datasets as tfds

    set_name, _, config = name.partition("/")
    try:
        configs = [one.name for one in tfds.builder_cls(set_name).BUILDER_CONFIGS]
    except Exception as error:  # for a set that does not exist, or whose own packages are not there
        names = [one.name for one in known.KNOWN]
        raise UserError(f"tensorflow-datasets knows no {name!r}; {nearest(name, names)}") from error
    if (config or configs) and config not in configs:
        choices = [f"{set_name}/{one}" for one in configs] or [set_name]
        raise UserError(f"tensorflow-datasets has no {name!r}; {nearest(name, choices)}")
    return tfds.builder(name, data_dir=folder, file_format="array_record")


def _download_and_prepare(name: str, builder: Any) -> None:
    try:
        builder.download_and_prepare(file_format="array_record")
    except AssertionError as error:
        raise UserError(f"{name} must be fetched by hand: {' '.join(str(error).split())}") from error
    except Exception as error:  # of the network, of the disk, of checksums that differ: of many kinds
        text = " ".join(str(error).split())[:300]
        raise UserError(f"{name} was not prepared ({type(error).__name__}: {text}); try again") from error
