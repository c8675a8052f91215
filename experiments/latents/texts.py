"""From sentence to sentence: the embeddings of texts on straight lines, each row with latents of its own.

Reed et al. 2016, arXiv 1605.05396, figure 7: what changes along a row is what the texts differ in.
"""

import pathlib
from collections.abc import Iterator
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from experiments.command_line.checks import require_seed
from experiments.command_line.errors import UserError
from experiments.data import tokens
from experiments.latents import sheet
from experiments.latents.sheet import Sheet
from experiments.latents.trained import Trained
from experiments.models import abilities, texts
from experiments.models.texts import Sentences
from jaxgen import images, parallel
from jaxgen.checks import require
from jaxgen.latents import interpolation

SUFFIXES = (".png", ".gif")


@dataclass(frozen=True)
class Options:
    """Between which sentences, how many images, and where to."""

    out: pathlib.Path | None = None  # PNG or GIF to write; RUN/texts.png if not given
    text: Sentences = ()  # two sentences or more: give it again for each
    num: int = 4  # rows, each with a latent vector of its own
    steps: int = 8  # from one sentence to the next
    closed: bool = False  # go on from the last sentence to the first
    seed: int = 0  # of the latents
    data: str | None = None  # the run's data in their new place, such as folder:PATH; as in the training if not given
    data_dir: pathlib.Path | None = None  # where prepared data sets lie; as in the training if not given

    def __post_init__(self):
        require(1 <= self.num <= 100, "--num", self.num, "in [1, 100]")
        require(1 <= self.steps <= 500, "--steps", self.steps, "in [1, 500]")
        require_seed(self.seed)


def draw(run: Trained, options: Options, out: pathlib.Path) -> Iterator[str]:
    """Write the picture; the lines say what was done."""
    config, model = run.config, abilities.text_model(run.config)
    sentences = texts.read(options.text, None)
    if len(sentences) < 2:
        raise UserError('--text names fewer than two sentences; give --text "..." --text "..." to go between')
    captions = texts.encoded(config, sentences, tokens.of(run.experiment))
    latents = run.draw(np.arange(options.num), options.seed)

    @jax.jit
    def embedded(state, captions):
        ends = model.embed_captions(config, state, captions)
        return interpolation.path(ends, options.steps, interpolation=interpolation.linear, closed=options.closed)

    @parallel.compiled
    def drawn(state, latents, embeddings):
        return images.to_pixels(model.from_embeddings(config, state, latents, embeddings), config.value_range)

    on_the_way = embedded(run.state, jnp.asarray(captions))
    rows = [
        np.asarray(drawn(run.state, jnp.broadcast_to(one, (len(on_the_way), *one.shape)), on_the_way))
        for one in latents.reshape(len(latents), *config.prior.shape)
    ]
    yield from (f"{place * options.steps}: {sentence}" for place, sentence in enumerate(sentences))
    columns = tuple(str(place) for place in range(len(on_the_way)))
    sheet.save(Sheet(np.stack(rows), ("",) * len(rows), columns), out, loops=options.closed)
