"""Captions as byte pairs: tokens of a vocabulary that is learned on the captions of a training set.

Sennrich, Haddow, Birch: Neural Machine Translation of Rare Words with Subword Units, 2015, arXiv 1508.07909, over UTF-8
bytes, so that no character is unknown. The library tokenizers learns and applies them; its file, tokenizer.json, is
what a run keeps. Token 0 is padding.
"""

import importlib.util
import pathlib
import zlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.command_line.errors import UserError
from experiments.data.request import Request

if TYPE_CHECKING:
    from experiments.runs.experiment import Experiment

FILE = "tokenizer.json"

PADDING = "<|padding|>"


class BytePairs:
    """A vocabulary that was learned."""

    def __init__(self, content: str):
        self.content = content  # of tokenizer.json
        self._tokenizer = _library().Tokenizer.from_str(content)

    @property
    def size(self) -> int:
        """Tokens, padding among them."""
        return self._tokenizer.get_vocab_size()

    @property
    def checksum(self) -> int:
        """Of the file that holds it."""
        return zlib.crc32(self.content.encode())

    def tokens(self, text: str) -> list[int]:
        """All tokens of a text."""
        return [token for token in self._tokenizer.encode(text).ids if token]

    def encoded(self, texts: Sequence[Sequence[str]], length: int) -> tuple[np.ndarray, np.ndarray]:
        """Captions as (num, most, length) uint16, padded with 0 and cut, and how many of each."""
        counts = np.array([len(some) for some in texts], np.uint32)
        rows = np.zeros((len(texts), int(counts.max(initial=1)), length), np.uint16)
        every = iter(self._tokenizer.encode_batch([text for some in texts for text in some]))
        for index, some in enumerate(texts):
            for which in range(len(some)):
                found = [token for token in next(every).ids if token][:length]
                rows[index, which, : len(found)] = found
        return rows, counts

    def decoded(self, caption: np.ndarray) -> str:
        """The text of one encoded caption."""
        return self._tokenizer.decode([int(token) for token in caption if token])


def learned(texts: Sequence[Sequence[str]], size: int) -> BytePairs:
    """The byte pairs of some captions, at most `size` tokens; the same of the same captions."""
    library = _library()
    tokenizer = library.Tokenizer(library.models.BPE())
    tokenizer.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = library.decoders.ByteLevel()
    trainer = library.trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=[PADDING],
        initial_alphabet=library.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator((text for some in texts for text in some), trainer)
    return BytePairs(tokenizer.to_str())


def read(path: pathlib.Path) -> BytePairs:
    """The vocabulary of tokenizer.json, or of the run in a folder.

    UserError for a file that the library cannot read, or whose token 0 is not padding.
    """
    path = path / FILE if path.is_dir() else path
    _library()
    try:
        found = BytePairs(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(
            f"--tokenizer {path} cannot be read: {error.strerror}; give {FILE} or a run's folder"
        ) from error
    except Exception as error:  # what the library raises has no type of its own
        raise UserError(f"--tokenizer {path} is no file of the library tokenizers: {error}") from error
    if found._tokenizer.token_to_id(PADDING) != 0:
        raise UserError(f"--tokenizer {path} has no {PADDING} as token 0; give the file of a run")
    return found


def reader(request: Request, training: Callable[[], Sequence[Sequence[str]]]) -> BytePairs | None:
    """What captions are read with: a vocabulary of a file, or one learned on `training`; None for bytes."""
    if not request.images.tokens:
        return None
    found = learned(training(), request.images.tokens) if request.tokenizer is None else read(request.tokenizer)
    if found.size > request.images.tokens:
        raise UserError(
            f"--tokenizer {request.tokenizer} has {found.size} tokens; give --images.tokens {found.size} beside it"
        )
    return found


def of(experiment: "Experiment") -> BytePairs | None:
    """The vocabulary of a run that has begun; None where captions are bytes."""
    if not experiment.images.tokens or experiment.tokenizer is None:
        return None
    return read(experiment.tokenizer)


def _library() -> Any:
    if importlib.util.find_spec("tokenizers") is None:
        raise UserError("--images.tokens needs the library tokenizers: pip install -e '.[tokens]'")
    import tokenizers
    import tokenizers.decoders
    import tokenizers.models
    import tokenizers.pre_tokenizers
    import tokenizers.trainers

    return tokenizers
