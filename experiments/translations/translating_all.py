"""All pictures that a person names: each read, translated and written; what cannot be read is told and left out."""

import dataclasses
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import jax
import numpy as np

from experiments.command_line import terminal
from experiments.data.decoding import Half
from experiments.data.rows import PictureError
from experiments.pictures import figures
from experiments.translations import reading, sheet
from experiments.translations.reading import Picture
from experiments.translations.sources import Place, Source
from experiments.translations.translating import Way

SHEETS = "sheets"
"""Folder of the sheets, beside the translations."""


@dataclass(frozen=True)
class Wanted:
    """What is written of each picture."""

    num: int = 1  # translations of each
    seed: int = 0
    compare: bool = False  # a sheet, too
    halves: tuple[Half, Half] = (None, None)  # of a picture that holds both: which is the input, which the target


@dataclass(frozen=True)
class Done:
    """What came of it."""

    translated: int = 0  # pictures
    left_out: int = 0
    alike: bool = False  # several translations of one picture did not differ


def translate(given: Sequence[Source], place: Place, ways: Mapping[str, Way], wanted: Wanted) -> Done:
    """Translate all, and tell of each; `ways` by the word that tells their files apart."""
    done = Done(alike=wanted.num > 1)
    for number, source in enumerate(given):
        try:
            columns = _one(source, place, ways, wanted)
        except PictureError as error:
            terminal.show(f"left out: {source.path} {error}")
            done = dataclasses.replace(done, left_out=done.left_out + 1)
            continue
        height, width = columns["input"].pixels.shape[:2]
        terminal.show(f"{number + 1:,}/{len(given):,}  {source.path}  {width}x{height}")
        made = list(columns.values())[1 : 1 + wanted.num]
        alike = done.alike and all(np.array_equal(made[0].pixels, other.pixels) for other in made[1:])
        done = dataclasses.replace(done, translated=done.translated + 1, alike=alike)
    return done


def key_of(source: Source, seed: int, number: int) -> jax.Array:
    """Of a translation: it depends on the seed, the name of the picture and the number of the copy alone."""
    key = jax.random.fold_in(jax.random.key(seed), np.uint32(zlib.crc32(source.name.encode())))
    return jax.random.fold_in(key, number)


def _one(source: Source, place: Place, ways: Mapping[str, Way], wanted: Wanted) -> dict[str, Picture]:
    """Write the translations of a picture; they and it, by the names that they have on a sheet."""
    network = next(iter(ways.values())).network
    columns = {"input": reading.read(source.path, network.input_shape[2], wanted.halves[0])}
    target = _target(source, network.config.image_shape[2], wanted) if wanted.compare else {}
    for word, way in ways.items():
        for number in range(wanted.num):
            copy = str(number + 1) if wanted.num > 1 else ""
            made = way(columns["input"], key_of(source, wanted.seed, number))
            reading.write(place.of(source, word, copy), made)
            columns[" ".join(filter(None, (word or "output", copy)))] = made
    if wanted.compare:
        drawn = sheet.sheet({name: one.pixels for name, one in (columns | target).items()})
        figures.save_png(Place(place.folder / SHEETS, place.file).of(source), drawn)
    return columns


def _target(source: Source, channels: int, wanted: Wanted) -> dict[str, Picture]:
    """The picture that a translation should be, where there is one. PictureError for one that cannot be read."""
    if wanted.halves[1] is not None:
        return {"target": reading.read(source.path, channels, wanted.halves[1])}
    return {} if source.target is None else {"target": reading.read(source.target, channels)}
