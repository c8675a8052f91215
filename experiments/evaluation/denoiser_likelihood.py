"""The bound on -log p(x) of a denoiser, and log p(x) by its ordinary differential equation."""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from experiments.command_line.errors import UserError
from experiments.evaluation.likelihood import HeldOut, per_image, row
from jaxgen.checks import require

BOUND, DENSITY = "bound", "density"


@dataclass(frozen=True)
class Options(HeldOut):
    """How many images, and how their likelihood is computed."""

    method: Literal["usual", "bound", "density"] = "usual"  # the bound, and for one that has none the density
    num_draws: int = 100  # of noise for each image: of the bound at times spread evenly; 1 or 2 do for the density
    num_steps: int = 100  # of the density, of four evaluations each
    tolerance: float = 0.0  # of the density, above 0: as many steps as this error asks for, relative and absolute
    num_probes: int = 1  # random vectors for its trace; 0: the trace itself, a pass for each number of an image

    def __post_init__(self):
        super().__post_init__()
        require(self.num_draws >= 1, "--num-draws", self.num_draws, "at least 1")
        require(self.num_steps >= 1, "--num-steps", self.num_steps, "at least 1")
        require(self.tolerance >= 0, "--tolerance", self.tolerance, "at least 0")
        require(self.num_probes >= 0, "--num-probes", self.num_probes, "at least 0")


def method_of(name: str, model: Any, config: Any, options: Options) -> str:
    """The bound or the density. UserError if the model has not what is asked for, or lacks what it needs."""
    from jaxgen.abilities import DenoisingBound, DensityModel

    steps = getattr(config, "schedule", None)
    discrete = bool(getattr(steps, "discrete", False))
    own_schedule = not hasattr(model, "log_density")  # of a model whose bound needs no discrete steps
    has = {
        BOUND: isinstance(model, DenoisingBound) and (discrete or own_schedule) and _has_levels(config),
        DENSITY: isinstance(model, DensityModel) and not discrete,
    }
    if not any(has.values()):
        raise UserError(f"{name} has no likelihood with its schedule {steps} and value_range {config.value_range}")
    chosen = options.method if options.method != "usual" else BOUND if has[BOUND] else DENSITY
    if not has[chosen]:
        raise UserError(f"{name} has no {chosen} with its schedule {steps}; leave --method out")
    if options.tolerance > 0:
        _check_adaptive(chosen)
    return chosen


def _check_adaptive(method: str) -> None:
    """UserError if --tolerance is not of this method, or what it needs is not installed."""
    from jaxgen.diffusion.samplers.solving import require_solver

    if method != DENSITY:
        raise UserError("--tolerance is of the density, but this is the bound; leave it out, or give --method density")
    try:
        require_solver()
    except ValueError as error:
        raise UserError(f"--tolerance: {error}") from error


def measure(model: Any, config: Any, state: Any, images: Any, options: Options, method: str) -> dict[str, np.ndarray]:
    """Nats of each image by name, means over the draws; the last is -log p(x) or its bound.

    The noise of an image depends on the seed and on the image's number, not on the batch that it is in.
    """
    import jax
    import jax.numpy as jnp

    from jaxgen.diffusion.densities import Integral

    num = options.num_draws
    integral = Integral(options.num_steps, options.num_probes, options.tolerance)

    def of_draw(state: Any, batch: Any, keys: Any, number: Any) -> dict[str, Any]:
        drawn = jax.vmap(jax.random.fold_in, (0, None))(keys, number)
        if method == DENSITY:
            return {"nll": _level_nats(config) - model.log_density(config, state, batch, drawn, integral)}
        first = jax.vmap(lambda key: jax.random.uniform(jax.random.fold_in(key, num)))(keys)
        found = model.bound(config, state, batch, drawn, (first + number.astype(jnp.float32) / num) % 1.0)
        return found._asdict() | {"nll": sum(found)}

    @jax.jit
    def of_batch(state: Any, batch: Any, indices: Any) -> dict[str, Any]:
        keys = jax.vmap(jax.random.fold_in, (None, 0))(jax.random.key(options.seed), indices)
        found = jax.lax.map(lambda number: of_draw(state, batch, keys, number), jnp.arange(num, dtype=jnp.uint32))
        return jax.tree.map(lambda values: values.mean(0), found)

    return per_image(of_batch, config, state, images, options)


def summary(found: dict[str, np.ndarray], config: Any, method: str) -> dict[str, Any]:
    """Mean and standard error over images of each part, by what it is called."""
    num_dims = math.prod(config.image_shape)
    names = {
        "reconstruction": "reconstruction, -E[log p(x|z_0)]",
        "diffusion": "divergences of all steps",
        "prior": "divergence from the prior",
        "nll": "bound on -log p(x)" if method == BOUND else "-log p(x)",
    }
    return {name: row(values, num_dims) | {"said": names[name]} for name, values in found.items()}


def protocol(config: Any, method: str) -> str:
    """What the numbers are of."""
    how = "by the variational bound" if method == BOUND else "by the ordinary differential equation"
    if config.value_range is None:
        return f"density of points, {how}"
    binarize = getattr(config, "binarize", "never")
    if binarize != "never":
        drawn = "1 above half of the grey range" if binarize == "threshold" else "drawn once from the grey levels"
        return f"binary pixels, {drawn}, {how}"
    of = "a bound of the probability" if method == DENSITY else "probability"
    return f"{of} of pixels of {getattr(config, 'num_levels', 256)} levels, {how}"


def _has_levels(config: Any) -> bool:
    return config.value_range is not None or hasattr(config, "num_levels")


def _level_nats(config: Any) -> float:
    """-log of the size of a level's part of an image, 0 for points."""
    from jaxgen.diffusion.densities import LEVELS

    if config.value_range is None:
        return 0.0
    low, high = config.value_range
    return math.prod(config.image_shape) * math.log(LEVELS / (high - low))
