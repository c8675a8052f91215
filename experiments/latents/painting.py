"""What a person does with one image of a run: paint on it, choose among candidates, turn sliders."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from experiments.command_line.errors import UserError
from experiments.latents import directions, edit, editor, layers, sources
from experiments.latents.editor import Found, Origin, Search
from experiments.latents.layers import Painted, Wishes
from experiments.latents.sources import Points, Words
from experiments.latents.trained import Trained
from experiments.models import abilities
from experiments.runs.experiment import model_of
from jaxgen.abilities import StyledModel

NOTHING = Wishes()
"""Nothing is painted."""


class Sliders(NamedTuple):
    """Directions of the latents, each a deviation long."""

    axes: np.ndarray  # (num, latent)
    names: tuple[str, ...]


@dataclass(frozen=True)
class Studio:
    """A run, opened for painting."""

    run: Trained
    edit: editor.Edit
    move: editor.Move
    sliders: Sliders
    label: int | None
    seed: int

    def drawn(self, number: int) -> Origin:
        """The draw of that number, counted as in the picture of `experiments.sample`."""
        words = Words(self.run, self.seed, self.label)
        return origin_of(sources.points(words, [f"sample:{number}"], of_class=1)[0])


@dataclass
class Session:
    """What one page shows; it changes with each thing that is done."""

    studio: Studio
    first: Origin  # where the photograph is
    photograph: np.ndarray  # (height, width, channels) uint8
    origin: Origin  # where the sliders are in the middle
    strengths: np.ndarray  # of the sliders
    wishes: Wishes = NOTHING
    found: Found | None = None

    @property
    def here(self) -> Origin:
        """The origin, moved along the sliders."""
        moved = self.origin.latent + self.strengths @ self.studio.sliders.axes
        return self.origin._replace(latent=moved.astype(np.float32))

    def made(self) -> np.ndarray:
        """The model's image, (height, width, channels) uint8."""
        labels = None if self.origin.label is None else np.array([self.origin.label])
        return self.studio.run.decode(self.here.latent[None], labels)[0]

    def changed(self) -> np.ndarray:
        """The photograph, changed as the model's image is."""
        return self.studio.move(self.first, self.here.latent, self.photograph)

    def paint(self, mask: np.ndarray, color: tuple[int, ...] | None) -> None:
        """Put a stroke above what is painted: a colour, or None for a line that asks for edges."""
        shape = self.photograph.shape
        if color is None:
            layer = layers.lines(Painted(np.zeros(shape, np.uint8), mask))
            self.wishes = self.wishes._replace(edges=layers.over(self.wishes.edges, layer))
        else:
            layer = Painted(np.broadcast_to(np.array(color, np.uint8), shape), mask)
            self.wishes = self.wishes._replace(colors=layers.over(self.wishes.colors, layer))

    def take_along(self, ends: np.ndarray, side: int) -> None:
        """Ask for the patch around a pixel at another one: (2, 2), rows and columns of both."""
        patch = layers.moved(self.made(), ends[None].astype(np.int32), side)
        self.wishes = Wishes(*(layers.over(painted, patch) for painted in self.wishes))

    def search(self) -> Found:
        """Candidates that obey. UserError if nothing is painted."""
        if self.wishes.colors is None and self.wishes.edges is None:
            raise UserError("paint on the image first: candidates obey what is painted")
        self.found = self.studio.edit(self.here, self.wishes)
        return self.found

    def choose(self, number: int) -> None:
        """Go on from a candidate, with nothing painted and all sliders in the middle."""
        if self.found is None:
            raise UserError("there are no candidates; paint on the image and search")
        self.go_to(self.found.latents[number])

    def go_to(self, latent: np.ndarray) -> None:
        """Go on from other latents of the same photograph."""
        self.origin = self.origin._replace(latent=latent)
        self.strengths = np.zeros_like(self.strengths)
        self.wishes, self.found = NOTHING, None


def opened(run: Trained, search: Search, sliders: int, label: str | None) -> Studio:
    """A run with its sliders. UserError for a model that makes no image of a latent vector alone."""
    abilities.latent_model(run.config)
    number = sources.label_of(run, label)
    return Studio(
        run, editor.editor(run, search), editor.mover(run), _sliders(run, sliders, label), number, search.seed
    )


def begin(studio: Studio, image: str, invert: bool = False) -> tuple[Session, list[str]]:
    """A session with the image that a word names, and lines that say what was done. UserError for several images."""
    words = Words(studio.run, studio.seed, studio.label, invert)
    points, photographs, lines = edit.begun(words, (image,), of_class=1)
    if len(points) > 1:
        raise UserError(f"{image} names {len(points)} images; name one to paint on")
    first = origin_of(points)
    return Session(studio, first, photographs[0], first, np.zeros(len(studio.sliders.axes), np.float32)), lines


def draw_anew(session: Session, number: int) -> Session:
    """Another draw of the prior in place of the image, its own photograph."""
    session.first = session.origin = session.studio.drawn(number)
    session.go_to(session.origin.latent)
    session.photograph = session.made()
    return session


def origin_of(points: Points) -> Origin:
    """The first of some points."""
    return Origin(points.latents[0], None if points.labels is None else int(points.labels[0]))


def _sliders(run: Trained, num: int, label: str | None) -> Sliders:
    """Principal directions of the first layer; of style-based models, whose directions are of w, coordinates of z."""
    num = min(num, run.latent_dim)
    if num == 0 or isinstance(model_of(run.config), StyledModel):
        return Sliders(np.eye(run.latent_dim, dtype=np.float32)[:num], tuple(f"z{axis}" for axis in range(num)))
    found = directions.of_generator(run, directions.Options(method="sefa", num=num, label=label))
    return Sliders(found.axes, tuple(name.partition(" ")[0] for name in found.names))
