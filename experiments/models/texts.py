"""What a model of texts is asked for: sentences of the command line or of a file, as the captions that it takes."""

import dataclasses
import pathlib
from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
import tyro

from experiments.command_line import terminal
from experiments.command_line.errors import UserError
from experiments.data import captions, embeddings
from experiments.data.tokens import BytePairs
from experiments.models import abilities, unread
from experiments.models.conditions import Source
from experiments.runs import settings
from jaxgen.nets.text.char_cnn_rnn import CharCNNRNN
from jaxgen.nets.text.given import Given, GivenContext, no_captions
from jaxgen.nets.text.transformer import TextTransformer

Sentences = Annotated[tuple[str, ...], tyro.conf.UseAppendAction]
"""One for each time that the option is given."""

CUT = "{left} {of} of {sentence!r} are left out: the model reads {length}"
UNKNOWN = "the encoder does not know {unknown} of {sentence!r}, and passes over it"


def takes_texts(config: Any) -> bool:
    """Whether the model samples for captions alone."""
    return abilities.condition_of(config) == "captions"


def reads_texts(config: Any) -> bool:
    """Whether these captions are texts, and not embeddings that a file has."""
    given = [*settings.of_type(config, Given), *settings.of_type(config, GivenContext)]
    return takes_texts(config) and not given


def require_reads(config: Any) -> None:
    """UserError for sentences where the model has no encoder of texts."""
    if not reads_texts(config):
        raise UserError(
            f"--text is given, but this run of {abilities.name_of(config)} has no encoder of texts: its captions are "
            "embeddings of a file; draw with sample --embeddings FILE"
        )


def of_embeddings(config: Any, path: pathlib.Path) -> np.ndarray:
    """The rows of a file in the place of captions. UserError where the model reads texts, or others than these."""
    if reads_texts(config) or not takes_texts(config):
        raise UserError(f"--embeddings is given, but {abilities.name_of(config)} takes none; leave it out")
    (found, _), wanted = embeddings.read(path), shape_of_embeddings(config)
    if found.shape[1:] != wanted:
        raise UserError(f"--embeddings {path} has some of shape {found.shape[1:]}, but the run takes {wanted}")
    return found


def shape_of_embeddings(config: Any) -> tuple[int, ...]:
    """Of one that the model takes in the place of a caption."""
    net = [*settings.of_type(config, Given), *settings.of_type(config, GivenContext)][0][1]
    return tuple(no_captions(net, 1, config.caption_length, getattr(config, "text_features", 0)).shape[1:])


def of_data(config: Any, captions: Any) -> Any:
    """The settings with what takes the embeddings of a set in the place of a network that reads texts.

    UserError for a model that cannot take them.
    """
    if captions is None or captions.dtype.kind != "f" or not takes_texts(config):
        return config
    shape, fields = captions.shape[2:], {field.name for field in dataclasses.fields(config)}
    if "encoder" in fields and len(shape) == 1:
        return dataclasses.replace(config, encoder=Given(), text_features=shape[0])
    if "text" in fields and len(shape) == 2:
        return dataclasses.replace(config, text=GivenContext(shape[1]), text_frozen=True, caption_length=shape[0])
    wanted = "(tokens, features)" if "text" in fields else "(features,)"
    raise UserError(
        f"{abilities.name_of(config)} takes embeddings of shape {wanted}, but the file has {shape} for a caption"
    )


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


def encoded(config: Any, sentences: Sequence[str], reader: BytePairs | None = None) -> np.ndarray:
    """The sentences as the model takes them, (num, caption_length); a word of what it cannot read of them.

    They are UTF-8 as uint8, or tokens of the `reader` as uint16.
    """
    require_reads(config)
    length, of = config.caption_length, "bytes" if reader is None else "tokens"
    for sentence in sentences:
        left = len(sentence.encode() if reader is None else reader.tokens(sentence)) - length
        if left > 0:
            terminal.show(CUT.format(left=left, of=of, sentence=sentence, length=length))
        unknown = unread.characters(config, sentence)
        if unknown:
            terminal.show(UNKNOWN.format(unknown=" ".join(unknown), sentence=sentence))
    encode = captions.encoded if reader is None else reader.encoded
    return encode([[sentence] for sentence in sentences], length)[0][:, 0]


def check_vocabulary(config: Any, reader: BytePairs | None) -> None:
    """UserError where captions are tokens that a network of the model does not know."""
    if reader is None:
        return
    if any(settings.of_type(config, CharCNNRNN)):
        raise UserError(
            "--images.tokens is given, but the encoder reads characters; leave it out, or take a transformer"
        )
    for path, net in settings.of_type(config, TextTransformer):
        if net.vocabulary < reader.size:
            option = settings.option(f"model.{path}.vocabulary")
            told = f"captions are of {reader.size} tokens, but the encoder knows {net.vocabulary}"
            raise UserError(f"{told}; give {option} {reader.size}")


def in_turn(rows: np.ndarray) -> Source:
    """Sample i is of row i mod their number."""
    return lambda places: rows[places % len(rows)]


def _is_text(sentence: str) -> bool:
    """Whether the bytes of a command line were read as UTF-8."""
    try:
        sentence.encode()
    except UnicodeEncodeError:
        return False
    return True
