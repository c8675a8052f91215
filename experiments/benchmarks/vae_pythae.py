"""Variational autoencoders beside pythae's, each trained for the same minutes: bounds and likelihoods of test images.

    pip install -e '.[benchmark]' pythae
    taskset -c 0 python -m experiments.benchmarks.vae_pythae --data-dir DIR

784-512 and the mirror of it, 20 latents, Adam at 1e-3, batches of 100 images, each binarised once and the same for
both. Of the two the one that has used less time trains the next 50 updates, until both have used theirs; what the
compiler takes counts. For each model and seed a line has the updates of both, -ELBO of all test images by one latent
each, the negative log-likelihood of the first of them by importance sampling, in nats for each image, and the mean
difference of the two -ELBO with its interval of 95 %: never worse means that it does not lie above 0.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import scipy.special

from experiments import data
from experiments.benchmarks import equal_time
from experiments.benchmarks.blocks import Blocks
from experiments.benchmarks.equal_time import EqualTime, interval, require_digits
from experiments.benchmarks.rivals import pythae
from experiments.command_line import cli
from experiments.runs.experiment import model_of
from jaxgen.autoencoders import factor_vae, vae, vamp_vae
from jaxgen.autoencoders.aggregate import MeanDiscrepancy, TotalCorrelation
from jaxgen.autoencoders.bounds import ELBO, Capacity, ImportanceWeighted
from jaxgen.autoencoders.likelihoods import Bernoulli
from jaxgen.autoencoders.networks import mirrored
from jaxgen.checks import require
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, Optimizer

BLOCK = 50
"""Updates before the clocks are compared again."""
NETWORKS = mirrored(512)
SHARED: dict[str, Any] = {
    "image_shape": (28, 28, 1),
    "latent_dim": 20,
    "encoder": NETWORKS.encoder,
    "decoder": NETWORKS.decoder,
    "likelihood": Bernoulli("never"),  # of pixels that are 0 and 1 already
    "optimizer": Optimizer(1e-3, Adam()),
}


MODELS: dict[str, Any] = {
    "vae": vae.Config(**SHARED),
    "beta_vae": vae.Config(**SHARED, objective=ELBO(beta=2.0)),
    "capacity": vae.Config(**SHARED, objective=Capacity(gamma=10.0, capacity=25.0, steps=1)),
    "iwae": vae.Config(**SHARED, objective=ImportanceWeighted(5)),
    "info_vae": vae.Config(**SHARED, penalty=MeanDiscrepancy(10.0)),
    "beta_tc_vae": vae.Config(**SHARED, penalty=TotalCorrelation(1.0)),
    "factor_vae": factor_vae.Config(**SHARED, gamma=2.0, discriminator=MLP((1000,) * 5, negative_slope=0.2)),
    "vamp_vae": vamp_vae.Config(**SHARED, num_components=50, objective=ELBO()),
}


@dataclass(frozen=True)
class Options(EqualTime):
    """What is trained, and for how long."""

    models: tuple[str, ...] = tuple(MODELS)  # of those that both have
    data: str = "mnist"  # images of 28x28 in grey, such as mnist and fashion_mnist
    batch_size: int = 100
    num_likelihoods: int = 500  # test images whose likelihood is computed
    num_latents: int = 200  # of each of them

    def __post_init__(self):
        super().__post_init__()
        self.require_known(MODELS)
        for name in ("batch_size", "num_likelihoods", "num_latents"):
            require(getattr(self, name) >= 1, f"--{name.replace('_', '-')}", getattr(self, name), "at least 1")


class Training(NamedTuple):
    """One of the two."""

    block: Callable[[np.ndarray], None]  # updates with batches (updates, batch, 28, 28, 1)
    log_weights: Callable[[np.ndarray, np.ndarray], np.ndarray]  # images, noise (B, K, latent) to (B, K)
    parameters: int  # of what the bound is made of


class Result(NamedTuple):
    """Of one training."""

    updates: int
    losses: np.ndarray  # -ELBO of each test image
    likelihoods: np.ndarray  # -log p(x) of the first of them


def main(argv: Sequence[str]) -> int:
    """Train and print a table, a line as soon as it is known."""
    options = cli.parse(Options, Options(), argv, "python -m experiments.benchmarks.vae_pythae", __doc__ or "")
    pythae.require_installed()
    train, test = (_binary(split, options) for split in ("train", "test"))
    for line in lines(train, test, options):
        print(line, flush=True)
    return 0


def lines(train: np.ndarray, test: np.ndarray, options: Options) -> Iterator[str]:
    """The table for binary images, float32 of (count, 28, 28, 1)."""
    sides = "pythae", "jaxgen"
    heads = [f"{side} {what}" for what in ("updates", "-ELBO", "NLL") for side in sides]
    yield f"{'':<14}{'seed':>5}" + "".join(f"{head:>16}" for head in heads) + "  difference of -ELBO"
    for name in options.models:
        for seed in options.seeds:
            theirs = Training(*pythae.reference(MODELS[name], len(train), seed))
            both = theirs, ours(MODELS[name], seed, theirs.parameters)
            found = side_by_side(both, train, test, options, seed)
            cells = [f"{one.updates:>16,}" for one in found]
            cells += [f"{one.losses.mean():>16.2f}" for one in found]
            cells += [f"{one.likelihoods.mean():>16.2f}" for one in found]
            low, high = interval(found[1].losses - found[0].losses)
            yield f"{name:<14}{seed:>5}" + "".join(cells) + f"  {(low + high) / 2:.2f} [{low:.2f}, {high:.2f}]"


def side_by_side(
    trainings: Sequence[Training], train: np.ndarray, test: np.ndarray, options: Options, seed: int
) -> list[Result]:
    """Train until each has used its minutes; the n-th block of all has the same images."""

    def batches(block: int) -> np.ndarray:
        return train[equal_time.places(seed, block, (BLOCK, options.batch_size), len(train))]

    done = equal_time.train([training.block for training in trainings], batches, options)
    return [_judged(training, count * BLOCK, test, options) for training, count in zip(trainings, done, strict=True)]


def _judged(training: Training, updates: int, test: np.ndarray, options: Options) -> Result:
    """With the same noise for all that are judged."""

    def log_weights(images: np.ndarray, samples: int, each: int) -> np.ndarray:
        generator, found = np.random.default_rng(samples), []
        for first in range(0, len(images), each):
            batch = images[first : first + each]
            noise = generator.standard_normal((len(batch), samples, SHARED["latent_dim"]), np.float32)
            found.append(np.asarray(training.log_weights(batch, noise), np.float64))
        return np.concatenate(found)

    losses = -log_weights(test, 1, 1_000)[:, 0]
    weights = log_weights(test[: options.num_likelihoods], options.num_latents, 50)
    likelihoods = np.log(options.num_latents) - np.asarray(scipy.special.logsumexp(weights, axis=1))
    return Result(updates, losses, likelihoods)


def ours(config: Any, seed: int, parameters: int) -> Training:
    """Our training. ValueError if what the bound is made of has not so many parameters, as theirs has."""
    training = Blocks(config, seed)
    model: Any = model_of(config)
    count = sum(leaf.size for leaf in jax.tree.leaves(training.state.autoencoder.params))
    if count != parameters:
        raise ValueError(f"{count} parameters beside {parameters} of theirs; no fair comparison")

    @jax.jit
    def weights(variables: Any, images: jax.Array, noise: jax.Array) -> jax.Array:
        terms, _ = model.terms(config, variables, images, noise)
        return terms.log_ratio - terms.nll

    def log_weights(images: np.ndarray, noise: np.ndarray) -> np.ndarray:
        return np.asarray(weights(training.state.autoencoder.variables, jnp.asarray(images), jnp.asarray(noise)))

    return Training(lambda batches: training(_levels(batches)), log_weights, count)


def _levels(images: np.ndarray) -> np.ndarray:
    """0 and 1 as uint8 of 0 and 255, which updates take."""
    return (255 * images).astype(np.uint8)


def _binary(split: str, options: Options) -> np.ndarray:
    """Images with each pixel 0 or 1, 1 with the probability of its grey level; the same for every seed."""
    grey = data.load(options.data, split, options.data_dir)
    require_digits(grey)
    images = np.asarray(grey.images)
    noise = np.random.default_rng(len(images)).random(images.shape, np.float32)
    return (noise < images / np.float32(255)).astype(np.float32)


if __name__ == "__main__":
    cli.run(main)
