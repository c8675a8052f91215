"""What a network cannot read of captions: characters that it does not know, what is cut, captions that are empty."""

from typing import Any

import numpy as np

from experiments.data import captions
from experiments.data.images import ImageSet
from experiments.runs import settings
from jaxgen.batches import columns
from jaxgen.nets.text.char_cnn_rnn import CharCNNRNN
from jaxgen.nets.text.characters import ALPHABET

SHOWN = 8
"""Characters that are named."""

LOOKED_AT = 1_000
"""Captions in which they are looked for."""


def characters(config: Any, sentence: str) -> list[str]:
    """Those that no network of the model knows, in their order; none of a model that reads bytes."""
    if not settings.of_type(config, CharCNNRNN):
        return []
    return [one for one in dict.fromkeys(sentence.lower()) if one not in ALPHABET]


def reads_captions(config: Any) -> bool:
    """Whether captions are in the batches of the model."""
    return any(column.name == "captions" for column in columns(config.batch_type))


def warnings(config: Any, image_set: ImageSet) -> list[str]:
    """What the model does not read of the captions of a set, a sentence each; nothing of a model without captions."""
    every = image_set.captions
    if every is None or every.dtype.kind == "f" or not reads_captions(config):
        return []
    there = np.arange(every.shape[1])[None] < np.asarray(image_set.num_captions)[:, None]
    rows = every[there]
    return [*_cut(rows), *_empty(rows), *_unknown(config, rows)]


def _cut(rows: np.ndarray) -> list[str]:
    full = int((rows[:, -1] != 0).sum())
    length = f"--images.caption-length {rows.shape[1]}"
    return [f"{full:,} of {len(rows):,} captions fill {length} and may have been cut; give more"] if full else []


def _empty(rows: np.ndarray) -> list[str]:
    empty = int((rows[:, 0] == 0).sum())
    return [f"{empty:,} of {len(rows):,} captions are empty; write them if that is a mistake"] if empty else []


def _unknown(config: Any, rows: np.ndarray) -> list[str]:
    known = np.array([byte == 0 or not characters(config, chr(byte)) for byte in range(128)] + [False] * 128)
    without = rows[~known[rows].all(axis=1)] if settings.of_type(config, CharCNNRNN) else rows[:0]
    if not len(without):
        return []
    text = "".join(captions.decoded(row) for row in without[:LOOKED_AT])
    found = characters(config, text)
    named = f"{' '.join(found[:SHOWN])}{' ...' if len(found) > SHOWN else ''}"
    return [f"{len(without):,} of {len(rows):,} captions have characters that the encoder does not know, {named}"]
