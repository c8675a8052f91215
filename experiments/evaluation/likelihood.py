"""The ELBO's parts, the importance-weighted estimate of log p(x) (Burda et al., 2015) and active latents."""

import math
import pathlib
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from experiments.command_line.checks import require_seed, require_step
from jaxgen.checks import require

CHUNK = 50
"""Latents of an image in memory at a time, at most: fixed by the number of latents, which `--num-latents` says."""

ACTIVE = 0.01
"""Variance over images of the posterior mean of a latent, above which Burda et al. call it active."""


@dataclass(frozen=True)
class HeldOut:
    """Which images of which run."""

    num_images: int = 1_000  # held-out images, the first ones; all of them if there are fewer
    batch_size: int = 100  # images at a time: fewer take less memory, and the result is the same
    seed: int = 0  # of what is drawn
    step: int | Literal["newest", "best"] = "newest"  # whose checkpoint: the newest, the best, or a step's own
    data: str | None = None  # the run's data in their new place, such as folder:PATH; as in the training if not given
    data_dir: pathlib.Path | None = None  # where prepared data sets lie; as in the training if not given

    def __post_init__(self):
        require(self.num_images >= 2, "--num-images", self.num_images, "at least 2")
        require(self.batch_size >= 1, "--batch-size", self.batch_size, "at least 1")
        require_seed(self.seed)
        require_step(self.step)


@dataclass(frozen=True)
class Options(HeldOut):
    """How many images, and how many latents for each."""

    num_latents: int = 5_000  # K of the importance-weighted estimate; 1 for the ELBO alone

    def __post_init__(self):
        super().__post_init__()
        require(self.num_latents >= 1, "--num-latents", self.num_latents, "at least 1")


def measure(
    model: Any, config: Any, state: Any, images: Any, options: Options
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """`Evidence` of each image by field, and each image's posterior mean (num, latent).

    The noise of an image depends on the seed and on the image's number, not on the batch that it is in.
    """
    import jax

    chunk = math.gcd(options.num_latents, CHUNK)
    key = jax.random.key(options.seed)

    @jax.jit
    def of_batch(state, batch, indices):
        def of_image(image, index):
            alone = jax.tree.map(lambda leaf: leaf[None], image)
            found = model.evidence(config, state, alone, jax.random.fold_in(key, index), (options.num_latents, chunk))
            return jax.tree.map(lambda leaf: leaf[0], found)

        means = model.posterior_means(config, state, batch)
        return jax.vmap(of_image)(batch, indices), means.reshape(len(means), -1)

    evidence, means = per_image(of_batch, config, state, images, options)
    return evidence._asdict(), means


def per_image(of_batch: Any, config: Any, state: Any, images: Any, options: HeldOut) -> Any:
    """The leaves of `of_batch(state, batch, numbers of the images)` for all images, float64."""
    import jax

    num = min(options.num_images, len(images))
    size = min(options.batch_size, num)
    found = []
    for first in range(0, num, size):
        indices = np.minimum(np.arange(first, first + size), num - 1)  # one shape for all; the last image fills up
        batch = images.batch(indices, config.batch_type)
        found.append(jax.device_get(of_batch(state, batch, indices.astype(np.uint32))))
    return jax.tree.map(lambda *parts: np.concatenate(parts)[:num].astype(np.float64), *found)


def summary(found: dict[str, np.ndarray], means: np.ndarray, num_dims: int) -> dict[str, Any]:
    """Mean and standard error over images of each quantity, and the number of active latents."""
    nats = {
        "reconstruction": found["nll"],
        "kl": found["kl"],
        "negative_elbo": found["nll"] + found["kl"],
        "nll": -found["log_evidence"],
    }
    rows = {name: row(values, num_dims) for name, values in nats.items()}
    return rows | {"active_latents": int((means.var(axis=0) > ACTIVE).sum()), "latents": means.shape[1]}


def row(values: np.ndarray, num_dims: int) -> dict[str, float]:
    """Mean and standard error over images in nats, and the mean in bits for each number of an image."""
    mean, error = values.mean(), values.std(ddof=1) / math.sqrt(len(values))
    return {"mean": float(mean), "standard_error": float(error), "bits_per_dim": float(mean / num_dims / math.log(2))}


def protocol(config: Any) -> str:
    """What the numbers are of: pixels and their law."""
    from jaxgen.autoencoders.likelihoods import Bernoulli, DiscretizedLogistic

    match config.likelihood:
        case Bernoulli("never"):
            return "grey levels in a cross-entropy: no likelihood, not to be compared with that of binary pixels"
        case Bernoulli("threshold"):
            return "binary pixels, 1 above half of the grey range"
        case Bernoulli():
            return "binary pixels, drawn once from the grey levels: each image's noise is a fixed function of the image"
        case DiscretizedLogistic(num_levels=levels):
            return f"probability of pixels of {levels} levels"
    return f"density of grey levels in {config.value_range}: may be negative, not to be compared with a probability"
