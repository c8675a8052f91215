"""Growth of image sizes within a run: its schedule, the stage of a step, and what an update does at a stage.

Karras, Aila, Laine, Lehtinen: Progressive Growing of GANs for Improved Quality, Stability, and Variation, 2017, arXiv
1710.10196, section 2 and appendix A, in the order of the authors' code: a size is trained, then the next one fades in.

    images shown     stabilise    fade           stabilise    fade           ...
    size             4x4          4x4 to 8x8     8x8          8x8 to 16x16   ...
    alpha                         0 to 1                      0 to 1

The networks have the layers of all sizes from the beginning. They are called at the size of the stage, with alpha, the
weight of its own layers against those of half the size, where it fades in. Real images arrive at full size: the mean
over blocks of pixels is what the stage sees of them, faded alike. Samples of all stages have the full size.

A model's config names its settings alike: `growth`, and `resolution`, which `stage` sets.
"""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgen import train_state
from jaxgen.checks import NonNegativeInt, PositiveInt, require, require_bounds
from jaxgen.gradient_transformations import to_optax
from jaxgen.mode import Mode
from jaxgen.nets.convolution import mean_pool, upsample_nearest
from jaxgen.nets.convolution_algebra import Outputs
from jaxgen.nets.growing import doublings, fade
from jaxgen.nets.image_shapes import halved, image_shape
from jaxgen.stages import Stage
from jaxgen.train_state import Loss, TrainState
from jaxgen.typing import AxisName, Images, Metrics, Shape


@dataclass(frozen=True)
class Resolution:
    """The size of a stage. Full size by default."""

    halvings: NonNegativeInt = 0  # of the sides of the full size
    fading: bool = False  # whether the size fades in, from half of it

    def __post_init__(self):
        require_bounds(self)


@dataclass(frozen=True)
class Growth:
    """The schedule, in images shown; the defaults are the paper's, those of one GPU. A stage rounds up to updates."""

    first: PositiveInt = 4  # height of the images that a run begins with
    stabilise: NonNegativeInt = 800_000  # images shown at a size before the next one fades in
    fade: NonNegativeInt = 800_000  # images shown while a size fades in
    batch_sizes: tuple[int, ...] = (16,)  # m at each size, the smallest first; the last one holds for all larger ones
    rates: tuple[float, ...] = (1.0,)  # what multiplies the learning rates at each size, likewise

    def __post_init__(self):
        require_bounds(self)
        for name in ("batch_sizes", "rates"):
            value = getattr(self, name)
            require(min(value, default=0) > 0, name, value, "one or more numbers above 0")

    def doublings(self, height: int) -> int:
        """From the first size to the full one. ValueError unless there is a whole number of them."""
        return doublings((height, height, 1), self.first)

    def stages(self, height: int) -> list[tuple[Resolution, Stage]]:
        """All stages in their order, without configs; those of no images are left out, the last one has no end."""
        found, start, last = [], 0, self.doublings(height)
        for level in range(last + 1):
            batch_size = _at(self.batch_sizes, level)
            for fading, images in ((True, self.fade if level else 0), (False, self.stabilise)):
                end = start + math.ceil(images / batch_size)
                final = level == last and not fading
                if end > start or final:
                    stage = Stage(None, start, None if final else end, batch_size)
                    found.append((Resolution(last - level, fading), stage))
                start = end
        return found

    def stage(self, config: Any, step: int) -> Stage:
        """The stage of a config that holds the update after `step` others: a model's `stage`."""
        *former, last = self.stages(image_shape(config.image_shape)[0])
        resolution, stage = next((one for one in former if step < _end(one[1])), last)
        return stage._replace(config=dataclasses.replace(config, resolution=resolution))

    def updates(self, height: int, images: int) -> int:
        """Updates until so many images have been shown."""
        *former, (_, last) = self.stages(height)
        for _, stage in former:
            needed = math.ceil(max(0, images) / _size(stage))
            if stage.start + needed <= _end(stage):
                return stage.start + needed
            images -= (_end(stage) - stage.start) * _size(stage)
        return last.start + math.ceil(max(0, images) / _size(last))


def require_growth(config: Any) -> None:
    """ValueError unless the images grow to their shape, and the resolution is one that they have on their way."""
    num = config.growth.doublings(image_shape(config.image_shape)[0])
    halved(config.image_shape, num)
    largest = num - config.resolution.fading
    halvings = config.resolution.halvings
    require(halvings <= largest, "resolution.halvings", halvings, f"at most {largest} with this growth and fading")


def shape_of(config: Any) -> Shape:
    """Height, width and channels of the stage's images."""
    return halved(config.image_shape, config.resolution.halvings)


def fraction(config: Any, mode: Mode) -> Float[Array, ""] | None:
    """alpha, the share of the stage's images that have been shown; None where no size fades in."""
    if not config.resolution.fading:
        return None
    stage, step = _stage_of(config), mode.current_step("a size that fades in")
    passed = (step - stage.start).astype(jnp.float32) / (_end(stage) - stage.start)
    return jnp.clip(passed, 0.0, 1.0)


def shrink(config: Any, images: Images, alpha: Float[Array, ""] | None) -> Outputs:
    """Images of full size as the stage shows them: x, or alpha x + (1 - alpha) up(down(x)), x at the stage's size."""
    images = mean_pool(images, 1 << config.resolution.halvings)
    return images if alpha is None else fade(images, upsample_nearest(mean_pool(images)), alpha)


def enlarge(config: Any, images: Images) -> Outputs:
    """Images of the stage at full size: each pixel becomes a block."""
    return upsample_nearest(images, 1 << config.resolution.halvings)


def descend(
    config: Any, state: TrainState, loss: Loss, inputs: tuple[Any, ...], axis_name: AxisName, player: str
) -> tuple[TrainState, Metrics]:
    """`train_state.descend` at the stage's learning rate, the optimiser fresh in the first update of each stage.

    `player` is its name: the config has its optimiser as PLAYER_optimizer.
    """
    own = getattr(config, f"{player}_optimizer")
    rate = own.learning_rate * _at(config.growth.rates, _level(config))
    ready = _fresh_at_first(config, state).replace(tx=to_optax(dataclasses.replace(own, learning_rate=rate)))
    after, metrics = train_state.descend(ready, loss, inputs, axis_name, player)
    return after.replace(tx=state.tx), metrics


def _fresh_at_first(config: Any, state: TrainState) -> TrainState:
    """The player; at the first update of a stage with a fresh optimiser, its count of steps included."""
    start = _stage_of(config).start
    if start == 0:
        return state
    first, fresh = state.step == start, state.tx.init(state.params)
    chosen = jax.tree.map(lambda new, old: jnp.where(first, new, old), fresh, state.opt_state)
    return state.replace(opt_state=chosen)


def _level(config: Any) -> int:
    """Doublings from the first size to the stage's."""
    return config.growth.doublings(image_shape(config.image_shape)[0]) - config.resolution.halvings


def _stage_of(config: Any) -> Stage:
    """Where the config's resolution stands in the run; ValueError if it has no updates."""
    found = dict(config.growth.stages(image_shape(config.image_shape)[0]))
    known = config.resolution in found
    require(known, "resolution", config.resolution, "of a stage that has updates: see growth.stabilise and growth.fade")
    return found[config.resolution]


def _at(values: tuple[Any, ...], level: int) -> Any:
    return values[min(level, len(values) - 1)]


def _end(stage: Stage) -> int:
    """Of a stage that others follow."""
    return stage.end or 0


def _size(stage: Stage) -> int:
    """Of its batches."""
    return stage.batch_size or 0
