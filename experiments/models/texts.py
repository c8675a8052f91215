"""What a model of texts is asked for: sentences of the command line or of a file, as the captions that it takes."""

import pathlib
from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
import tyro

from experiments.command_line import terminal
from experiments.command_line.errors import UserError
from experiments.data import captions
from experiments.models import abilities, unread
from experiments.models.conditions import Source

Sentences = Annotated[tuple[str, ...], tyro.conf.UseAppendAction]
"""One for each time that the option is given."""

CUT = "{left} bytes of {sentence!r} are left out: the model reads {length}"
UNKNOWN = "the encoder does not know {unknown} of {sentence!r}, and passes over it"


def takes_texts(config: Any) -> bool:
    """Whether the model samples for captions alone."""
    return abilities.condition_of(config) == "captions"


def read(sentences: Sequence[str], file: pathlib.Path | None) -> tuple[str, ...]:
    """The sentences that are given, then those of the lines of a file, without spaces around them.

    UserError for an empty one, or a file that cannot be read or holds none.
    """
    found = list(sentences)
    if file is not None:
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise UserError(f"--text-file {file} cannot be read: {why}; give a file with a sentence a line") from error
        if not any(map(str.strip, lines)):
            raise UserError(f"--text-file {file} holds no sentence; write one a line")
        found += [line for line in lines if line.strip()]
    for sentence in found:
        if not _is_text(sentence):
            raise UserError(f"--text {sentence!r} is not UTF-8; write it in a file and give --text-file")
    if any(not sentence.strip() for sentence in found):
        raise UserError('--text is empty; write what is to be drawn, such as --text "a small bird with a red head"')
    return tuple(sentence.strip() for sentence in found)


def encoded(config: Any, sentences: Sequence[str]) -> np.ndarray:
    """The sentences as the model takes them: (num, caption_length) uint8; a word of what it cannot read of them."""
    length = config.caption_length
    for sentence in sentences:
        left = len(sentence.encode()) - length
        if left > 0:
            terminal.show(CUT.format(left=left, sentence=sentence, length=length))
        unknown = unread.characters(config, sentence)
        if unknown:
            terminal.show(UNKNOWN.format(unknown=" ".join(unknown), sentence=sentence))
    return captions.encoded([[sentence] for sentence in sentences], length)[0][:, 0]


def in_turn(config: Any, sentences: Sequence[str]) -> Source:
    """Sample i is of sentence i mod their number."""
    rows = encoded(config, sentences)
    return lambda places: rows[places % len(rows)]


def _is_text(sentence: str) -> bool:
    """Whether the bytes of a command line were read as UTF-8."""
    try:
        sentence.encode()
    except UnicodeEncodeError:
        return False
    return True
