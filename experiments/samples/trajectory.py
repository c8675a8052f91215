"""How the sampler makes samples of noise, as an animation or a picture: those that are drawn of the same numbers."""

import functools
import math
import pathlib
from typing import Any

import jax
import numpy as np

from experiments.command_line import terminal
from experiments.models import abilities, classes, conditions, progress, sampling
from experiments.pictures import figures, trajectories
from experiments.samples import picture
from experiments.samples.drawing import Drawing
from jaxgen import images
from jaxgen.images import ValueRange
from jaxgen.parallel import compiled

IMAGES, POINTS = 16, 300
"""Drawn if no number is asked for."""

CURVE = 200
"""States of a curve at most."""

AT_A_TIME = 2**28
"""Bytes of states in memory, about; those that are not shown are dropped."""


def write(path: pathlib.Path, drawn: Drawing, columns: int | None) -> str:
    """Draw, and write FILE.gif or FILE.png; what was written, in words. UserError for a model without a trajectory."""
    abilities.trajectory_model(drawn.experiment.model)
    points, moving = len(drawn.shape) == 1, path.suffix.lower() == ".gif"
    num = drawn.wanted.num or (POINTS if points else max(IMAGES, len(drawn.turn)))
    most = trajectories.FRAMES if moving else CURVE if points else trajectories.STATES
    sampling.require_memory("--num", 4 * num * most, drawn.shape)
    num_states, states = _states(drawn, num, most)
    if points:
        real = picture.real(drawn, num)
        made: Any = trajectories.moving_points(states, real) if moving else trajectories.curves(states, real)
    else:
        pixels = _pixels(states, drawn.experiment.model.value_range)
        across = columns or len(drawn.turn) or None
        made = trajectories.moving_images(pixels, across) if moving else trajectories.rows(pixels)
    (figures.save_gif if moving else figures.save_png)(path, made)
    return f"the way of {num:,} {'points' if points else 'images'} of step {drawn.step:,} in {num_states - 1:,} steps"


def _states(drawn: Drawing, num: int, most: int) -> tuple[int, np.ndarray]:
    """How many states there are, and at most so many of them at even distances: (states, num, ...) float32."""
    config, key = drawn.experiment.model, jax.random.key(drawn.wanted.seed)
    model = abilities.trajectory_model(config)
    source = (
        drawn.labels or drawn.texts or conditions.source(drawn.experiment, terminal.show) or classes.in_turn(config)
    )

    def states(config: Any, state: Any, indices: Any, given: Any) -> Any:
        return model.trajectory(config, state, sampling.keys_of(key, indices), len(indices), given)

    def given(indices: np.ndarray) -> Any:
        return None if source is None else source(indices)

    one = np.zeros(1, np.uint32)
    num_states = len(jax.eval_shape(functools.partial(states, config), drawn.state, one, given(one)))
    size = min(max(1, AT_A_TIME // (4 * num_states * math.prod(drawn.shape))), drawn.wanted.batch_size, num)
    parts = []
    with progress.by_steps(config, -(-num // size)) as telling:
        draw = compiled(lambda *args: trajectories.spread(states(telling, *args), most))
        for start in range(0, num, size):
            indices = np.minimum(np.arange(start, start + size), num - 1).astype(np.uint32)
            parts.append(np.asarray(draw(drawn.state, indices, given(indices))))
    return num_states, np.concatenate(parts, axis=1)[:, :num]


def _pixels(states: np.ndarray, value_range: ValueRange) -> np.ndarray:
    """Of the states, each of them scaled as `trajectories.scaled` has it."""
    to_pixels = jax.jit(images.to_pixels, static_argnums=1)
    return np.asarray(to_pixels(trajectories.scaled(states, value_range).astype(np.float32), value_range))
