"""The style of images under other texts: each row one image, each column a text.

Reed et al. 2016, arXiv 1605.05396, section 4.4: what a text does not say of an image is kept, G(S(x), t).
"""

import pathlib
from collections.abc import Iterator
from dataclasses import dataclass

from experiments.command_line.errors import UserError
from experiments.data import tokens
from experiments.latents import sources
from experiments.latents.sources import Words
from experiments.latents.trained import Trained
from experiments.models import styles, texts
from experiments.models.texts import Sentences
from experiments.pictures import figures
from experiments.pictures.styles import sheet
from jaxgen.checks import require

SUFFIXES = (".png",)


@dataclass(frozen=True)
class Options:
    """Which images and sentences, and where to."""

    out: pathlib.Path | None = None  # PNG to write; RUN/style.png if not given
    images: tuple[str, ...] = ("test:0,1,2,3",)  # classes, test:12,40, files, folders: each gives its style to a row
    text: Sentences = ()  # what is drawn in these styles: give it again for each sentence, a column each
    text_file: pathlib.Path | None = None  # more sentences, a line each
    num: int = 4  # images of a class at most
    invert: bool = False  # exchange dark and light of your own pictures
    data: str | None = None  # the run's data in their new place, such as folder:PATH; as in the training if not given
    data_dir: pathlib.Path | None = None  # where prepared data sets lie; as in the training if not given

    def __post_init__(self):
        require(1 <= self.num <= 100, "--num", self.num, "in [1, 100]")


def draw(run: Trained, options: Options, out: pathlib.Path) -> Iterator[str]:
    """Write the picture; the lines say what was done."""
    transfer = styles.transfer(run.config)
    sentences = texts.read(options.text, options.text_file)
    if not sentences:
        raise UserError('--text is missing; say what is to be drawn in the style of the images: --text "..."')
    found, lines = sources.originals(Words(run, invert=options.invert), options.images, options.num)
    yield from lines
    made = transfer(run.state, found.pixels, texts.encoded(run.config, sentences, tokens.of(run.experiment)))
    yield f"{len(found.pixels)} images, each in {len(sentences)} texts: {'; '.join(sentences)}"
    figures.save_png(out, sheet(found.pixels, made, list(sentences)))
