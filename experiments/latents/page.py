"""The page of the studio, in NiceGUI: an image to paint on, tools, sliders and candidates."""

import base64
import dataclasses
import functools
import io
import itertools
import socket
from collections.abc import Callable
from typing import Any, NamedTuple

import nicegui
import numpy as np
from nicegui import ui
from PIL import ImageColor

from experiments.command_line.errors import UserError
from experiments.latents import layers, painting
from experiments.latents.painting import Session
from experiments.translations.reading import as_image

SIDE = 384
"""Shortest side of the image to paint on, in pixels, at least."""

TILE = 96
"""The same of a candidate."""


class Address(NamedTuple):
    """Where the page is."""

    host: str
    port: int
    show: bool  # in this machine's browser


def serve(first: Session, address: Address) -> None:
    """Serve the page until it is interrupted; each visit begins where `first` is. UserError for an address in use."""
    _require_free(address)
    ui.run(
        functools.partial(_Page, first),
        host=address.host,
        port=address.port,
        show=address.show,
        reload=False,
        title="jaxgen studio",
        show_welcome_message=False,
    )


def enlarged(pixels: np.ndarray, side: int) -> str:
    """uint8 pixels by a whole factor, each a square, until no side is shorter: a PNG in the words of a page."""
    factor, content = _factor(pixels, side), io.BytesIO()
    as_image(pixels.repeat(factor, axis=0).repeat(factor, axis=1)).save(content, format="PNG")
    return f"data:image/png;base64,{base64.b64encode(content.getvalue()).decode()}"


def _factor(pixels: np.ndarray, side: int) -> int:
    return max(1, -(-side // min(pixels.shape[:2])))


def _require_free(address: Address) -> None:
    with socket.socket(socket.AF_INET6 if ":" in address.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address.host, address.port))
        except OSError as error:
            raise UserError(
                f"cannot listen on {address.host}:{address.port}: {error.strerror}; choose another --port or --host"
            ) from error


class _Page:
    """The page of one visit: what is on it, and what is done when a person does something."""

    def __init__(self, first: Session):
        self.session = dataclasses.replace(first)
        self.points: list[tuple[float, float]] = []
        self.factor = _factor(first.photograph, SIDE)
        self.numbers = itertools.count(1)
        ui.add_css("img { image-rendering: pixelated }")
        with ui.row().classes("no-wrap items-start gap-8"):
            with ui.column():
                self._tools()
            with ui.column():
                self.sliders = [self._slider(name) for name in first.studio.sliders.names]
            with ui.column():
                ui.label("photograph, changed")
                self.photograph = ui.image().style(f"width: {SIDE // 2}px").classes("photograph")
        self.candidates = ui.row()
        self.restart()
        self.show_photograph(first.photograph)

    def _tools(self) -> None:
        pixels = self.session.photograph
        events = ["mousedown", "mousemove", "mouseup"]
        self.canvas = ui.interactive_image(on_mouse=self.on_mouse, events=events)
        self.canvas.style(f"width: {pixels.shape[1] * self.factor}px").classes("canvas")
        with ui.row().classes("items-center"):
            self.tool = ui.toggle({"color": "colour", "edges": "lines", "move": "move"}, value="color")
            self.color = ui.color_input("colour", value="#ffffff").classes("w-32")
        ui.label("width of the brush, side of a patch that is moved")
        self.size = ui.slider(min=1, max=max(2, min(pixels.shape[:2]) // 2), value=1).props("label")
        with ui.row():
            ui.button("search", on_click=self.search)
            ui.button("clear", on_click=self.clear)
            ui.button("another image", on_click=self.another)

    def _slider(self, name: str) -> Any:
        with ui.row().classes("items-center no-wrap w-64"):
            ui.label(name).classes("w-8")
            slider = ui.slider(min=-3.0, max=3.0, value=0.0, step=0.1).props("label")
        slider.on("update:model-value", self.turn, throttle=0.05)
        slider.on("change", self.transfer)
        return slider

    def on_mouse(self, event: Any) -> None:
        """A point more of a stroke, which ends where the button is let go."""
        if event.type != "mousedown" and not (self.points and (event.buttons or event.type == "mouseup")):
            self.points = []
            return
        self.points = [] if event.type == "mousedown" else self.points
        self.points.append((event.image_y / self.factor, event.image_x / self.factor))
        if event.type != "mouseup":
            self.canvas.set_content(_trace(self.points, self.width, self.factor))
            return
        points, self.points = self.points, []
        self.canvas.set_content("")
        try:
            self.paint(points)
        except UserError as error:
            ui.notify(str(error), type="warning")
        self.show()

    def paint(self, points: list[tuple[float, float]]) -> None:
        """A stroke through points, as the tool says."""
        size, pixels = self.width, self.session.photograph
        if self.tool.value == "move":
            ends = np.floor(np.array(points)[[0, -1]]).astype(int).clip(0, np.array(pixels.shape[:2]) - 1)
            self.session.take_along(ends, size | 1)
        else:
            color = _color(self.color.value or "", pixels.shape[2]) if self.tool.value == "color" else None
            self.session.paint(layers.stroke(pixels, points, size), color)

    @property
    def width(self) -> int:
        """Of the brush, or the side of a patch."""
        return int(self.size.value or 1)

    def turn(self) -> None:
        """The image where the sliders are."""
        self.session.strengths = np.array([slider.value for slider in self.sliders], np.float32)
        self.show()

    async def search(self) -> None:
        """Candidates that obey what is painted."""
        if not await _done(self.session.search) or self.session.found is None:
            return
        self.candidates.clear()
        with self.candidates:
            for number, pixels in enumerate(self.session.found.pixels):
                image = ui.image(enlarged(pixels, TILE)).style(f"width: {TILE}px; cursor: pointer")
                image.classes("candidate").on("click", functools.partial(self.choose, number))

    async def choose(self, number: int) -> None:
        """Go on from a candidate."""
        self.session.choose(number)
        self.restart()
        await self.transfer()

    async def clear(self) -> None:
        """Nothing painted; the image stays where the sliders have brought it."""
        self.session.go_to(self.session.here.latent)
        self.restart()

    async def another(self) -> None:
        """The next draw of the prior."""
        if await _done(functools.partial(painting.draw_anew, self.session, next(self.numbers))):
            self.restart()
            self.show_photograph(self.session.photograph)

    async def transfer(self) -> None:
        """The photograph as it is now."""
        changed = await _done(self.session.changed)
        if changed is not None:
            self.show_photograph(changed)

    def restart(self) -> None:
        """All sliders in the middle, no candidates."""
        for slider in self.sliders:
            slider.set_value(0.0)
        self.candidates.clear()
        self.show()

    def show(self) -> None:
        """The image under what is painted on it."""
        self.canvas.set_source(enlarged(layers.laid_on(self.session.made(), self.session.wishes), SIDE))

    def show_photograph(self, pixels: np.ndarray) -> None:
        """Pixels in the place of the photograph."""
        self.photograph.set_source(enlarged(pixels, SIDE // 2))


def _trace(points: list[tuple[float, float]], width: int, factor: int) -> str:
    """The stroke as it is drawn, before its pixels are known."""
    places = " ".join(f"{column * factor:.1f},{row * factor:.1f}" for row, column in [*points, points[-1]])
    style = f'stroke="orange" stroke-opacity="0.6" stroke-linecap="round" stroke-width="{width * factor}"'
    return f'<polyline points="{places}" fill="none" {style} />'


def _color(word: str, channels: int) -> tuple[int, ...]:
    """A colour of CSS; of a grey image its luma. UserError for another word."""
    try:
        found = ImageColor.getcolor(word, "L" if channels == 1 else "RGB")
    except ValueError as error:
        raise UserError(f"{word!r} is no colour; give one such as #ff8000") from error
    return found if isinstance(found, tuple) else (found,)


async def _done(work: Callable[[], Any]) -> Any:
    """What work gives that is done beside the page; None, and the reason on the page, if it cannot be done."""
    try:
        return await nicegui.run.io_bound(work)
    except UserError as error:
        ui.notify(str(error), type="warning")
        return None
