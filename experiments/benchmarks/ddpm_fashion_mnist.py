"""DDPM trained twice side by side on Fashion-MNIST: with diffusers' U-Net, loop and sampler in PyTorch, and here.

    pip install -e '.[benchmark]' diffusers
    python -m experiments.benchmarks.ddpm_fashion_mnist --data-dir DIR

The same widths, batches, Adam at 1e-3 with warm-up left out, clipping and moving average. Blocks of updates alternate.
Printed after each block are the seconds of an update (median of the blocks so far, the first left out: it compiles) and
the error of the noise on held-out images, whose times and noise are fixed; at the end the seconds of drawing 64 images
by 50 steps of DDIM, alternately, compiled before.
"""

import dataclasses
import pathlib
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments import data
from experiments.benchmarks import blocks, clock, updates
from experiments.benchmarks.blocks import Blocks
from experiments.benchmarks.rivals import ddpm as rivals
from experiments.command_line import cli
from jaxgen import parallel
from jaxgen.checks import require
from jaxgen.diffusion import ddpm
from jaxgen.diffusion.denoising import denoise
from jaxgen.diffusion.samplers import DDIM
from jaxgen.optimizers import Adam, Optimizer

DRAWN, STEPS = 64, 50
"""Images drawn at the end, and steps of DDIM."""


@dataclass(frozen=True)
class Options:
    """What to train on, and for how long."""

    data_dir: pathlib.Path | None = None  # where prepared data sets lie; $TFDS_DATA_DIR if not given
    blocks: int = 8
    block: int = 50  # updates
    batch_size: int = 64
    held_out: int = 1_000  # images
    seed: int = 0  # of the batches, the noise and the weights

    def __post_init__(self):
        for name in ("blocks", "block", "batch_size", "held_out"):
            require(getattr(self, name) >= 1, f"--{name.replace('_', '-')}", getattr(self, name), "at least 1")


class Training(NamedTuple):
    """One of the two."""

    block: Callable[[np.ndarray], None]  # updates with batches (updates, batch, height, width, channels), uint8
    error: Callable[[np.ndarray, np.ndarray, np.ndarray], float]  # of noisy images, times and noise
    draw: Callable[[], None]


def main(argv: Sequence[str]) -> int:
    """Train and print a table."""
    options = cli.parse(Options, Options(), argv, "python -m experiments.benchmarks.ddpm_fashion_mnist", __doc__ or "")
    train, test = (
        np.asarray(data.load("fashion_mnist", split, options.data_dir).images) for split in ("train", "test")
    )
    config = dataclasses.replace(
        updates.cases()["ddpm_28"].config,  # pyright: ignore[reportArgumentType]
        optimizer=Optimizer(1e-3, Adam(), clip_norm=1.0),
        sampler=DDIM(STEPS),
    )
    trainings = {"diffusers": _theirs(config), "jaxgen": _ours(config, options.seed)}
    noisy = _noisy(config, test[: options.held_out], options.seed)
    generator, seconds = np.random.default_rng(options.seed), {name: [] for name in trainings}
    print("".join(f"{word:>22}" for word in ("updates", *(f"{name} {what}" for name in trainings for what in HEAD))))
    for number in range(1, options.blocks + 1):
        batches = train[generator.integers(0, len(train), (options.block, options.batch_size))]
        cells = []
        for name, training in trainings.items():
            seconds[name].append(clock.seconds(lambda: training.block(batches)) / options.block)  # noqa: B023
            cells += [f"{blocks.seconds_per_update(seconds[name]):.4f}", f"{training.error(*noisy):.5f}"]
        print("".join(f"{cell:>22}" for cell in (number * options.block, *cells)), flush=True)
    _report_drawing(trainings)
    return 0


HEAD = ("s/update", "error, held out")


def _report_drawing(trainings: dict[str, Training]) -> None:
    drawing: dict[str, list[float]] = {name: [] for name in trainings}
    for training in trainings.values():
        training.draw()
    for _ in range(3):
        for name, training in trainings.items():
            drawing[name].append(clock.seconds(training.draw))
    for name, found in drawing.items():
        print(f"{name}: {DRAWN} images by {STEPS} steps of DDIM in {statistics.median(found):.2f} s")


def _noisy(config: ddpm.Config, images: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Held-out images at times spread over all steps, the times, and the noise in them."""
    generator, clean = np.random.default_rng((seed, 1)), images.astype(np.float32) / 127.5 - 1
    num_steps = config.schedule.steps  # pyright: ignore[reportAttributeAccessIssue]
    times = np.arange(len(images)) * num_steps // len(images)
    noise = generator.standard_normal(clean.shape, np.float32)
    alpha, sigma = (np.asarray(part, np.float32)[:, None, None, None] for part in config.schedule.level(times))
    return alpha * clean + sigma * noise, times.astype(np.float32), noise


def _ours(config: ddpm.Config, seed: int) -> Training:
    block = Blocks(config, seed)

    @jax.jit
    def squared(state: Any, noisy: jax.Array, times: jax.Array, noise: jax.Array) -> jax.Array:
        found, _ = denoise(config, state.denoiser.variables, noisy, times, None)
        return ((found.value - noise) ** 2).mean()

    def error(*inputs: np.ndarray) -> float:
        parts = [np.array_split(array, max(1, len(array) // 100)) for array in inputs]
        return float(np.mean([squared(block.state, *map(jnp.asarray, part)) for part in zip(*parts, strict=True)]))

    drawn = parallel.compiled(lambda state: ddpm.sample(config, state, jax.random.key(1), DRAWN))
    return Training(block, error, lambda: (jax.block_until_ready(drawn(block.state)), None)[1])


def _theirs(config: ddpm.Config) -> Training:
    import torch  # pyright: ignore[reportMissingImports]
    from diffusers import DDIMScheduler  # pyright: ignore[reportMissingImports]

    trainer = rivals.in_diffusers(config)
    num_steps = config.schedule.steps  # pyright: ignore[reportAttributeAccessIssue]
    scheduler = DDIMScheduler(num_steps, beta_schedule="linear")
    scheduler.set_timesteps(STEPS)

    def tensor(images: np.ndarray) -> Any:
        return torch.from_numpy(np.ascontiguousarray(np.moveaxis(images, -1, 1)))

    def block(batches: np.ndarray) -> None:
        for batch in batches:
            trainer.step(tensor(batch).float() / 127.5 - 1)

    def error(noisy: np.ndarray, times: np.ndarray, noise: np.ndarray) -> float:
        with torch.no_grad():
            parts = zip(
                *(torch.split(torch.as_tensor(one), 100) for one in (tensor(noisy), times, tensor(noise))), strict=True
            )
            return float(np.mean([((trainer.network(x, t).sample - e) ** 2).mean().item() for x, t, e in parts]))

    def draw() -> None:
        height, width, channels = config.image_shape
        images = torch.randn(DRAWN, channels, height, width)
        with torch.no_grad():
            for moment in scheduler.timesteps:
                images = scheduler.step(trainer.network(images, moment).sample, moment, images).prev_sample

    return Training(block, error, draw)


if __name__ == "__main__":
    cli.run(main)
