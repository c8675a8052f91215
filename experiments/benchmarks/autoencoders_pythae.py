"""Deterministic autoencoders beside pythae's, each trained for the same minutes: reconstructions and samples.

    pip install -e '.[benchmark]' pythae
    taskset -c 0 python -m experiments.benchmarks.autoencoders_pythae --data-dir DIR

784-512 and the mirror of it, 20 latents, Adam at 1e-3, batches of 100 grey images, the same for both. Of the two the
one that has used less time trains the next 50 updates, until both have used theirs; what the compiler takes counts.
For each model and seed a line has the updates of both, the mean squared error of a pixel of all test images in
thousandths, the mean difference of the two with its interval of 95 %, and for 2,000 samples the Frechet distance from
the training images in the features of the set's classifier, and the share that it recognises (p >= 0.9). Latents are
drawn from the prior, those of the plain autoencoder from a normal distribution fitted to those of training images.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments import data
from experiments.benchmarks import equal_time, judge
from experiments.benchmarks.blocks import Blocks
from experiments.benchmarks.equal_time import EqualTime, interval, require_digits
from experiments.benchmarks.judge import Judge, Verdict
from experiments.benchmarks.rivals import pythae
from experiments.command_line import cli
from jaxgen.autoencoders import aae, autoencoder, coders, wae
from jaxgen.autoencoders.networks import mirrored
from jaxgen.checks import require
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, Optimizer

BLOCK = 50
"""Updates before the clocks are compared again."""
NETWORKS, ADAM = mirrored(512), Optimizer(1e-3, Adam())
SHARED: dict[str, Any] = {
    "image_shape": (28, 28, 1),
    "value_range": (0.0, 1.0),
    "latent_dim": 20,
    "encoder": NETWORKS.encoder,
    "decoder": NETWORKS.decoder,
}
PLAYERS = ("autoencoder_optimizer", "encoder_optimizer", "discriminator_optimizer")
MODELS: dict[str, Any] = {
    "autoencoder": autoencoder.Config(**SHARED, optimizer=ADAM),
    "wae": wae.Config(**SHARED, optimizer=ADAM),
    "aae": aae.Config(**SHARED, discriminator=MLP((256,)), **dict.fromkeys(PLAYERS, ADAM)),
}


@dataclass(frozen=True)
class Options(EqualTime):
    """What is trained, and for how long."""

    models: tuple[str, ...] = tuple(MODELS)  # of those that both have
    data: str = "mnist"  # images of 28x28 in grey, with labels, such as mnist and fashion_mnist
    batch_size: int = 100
    num_samples: int = 2_000  # of each side

    def __post_init__(self):
        super().__post_init__()
        self.require_known(MODELS)
        require(self.batch_size >= 2, "--batch-size", self.batch_size, "at least 2")
        require(self.num_samples >= 2, "--num-samples", self.num_samples, "at least 2")


class Training(NamedTuple):
    """One of the two; images are float32 in [0, 1]."""

    block: Callable[[np.ndarray], None]  # updates with batches (updates, batch, 28, 28, 1)
    encode: Callable[[np.ndarray], np.ndarray]  # images to latents
    decode: Callable[[np.ndarray], np.ndarray]  # latents to images


class Result(NamedTuple):
    """Of one training."""

    updates: int
    errors: np.ndarray  # of each test image, the mean over its pixels
    verdict: Verdict  # of samples


def main(argv: Sequence[str]) -> int:
    """Train and print a table, a line as soon as it is known."""
    options = cli.parse(Options, Options(), argv, "python -m experiments.benchmarks.autoencoders_pythae", __doc__ or "")
    pythae.require_installed()
    train, test = (data.load(options.data, split, options.data_dir) for split in ("train", "test"))
    require_digits(train)
    judged, described = judge.of(train, test)
    print(described)
    for line in lines(np.asarray(train.images), np.asarray(test.images), judged, options):
        print(line, flush=True)
    return 0


def lines(train: np.ndarray, test: np.ndarray, judged: Judge, options: Options) -> Iterator[str]:
    """The table for uint8 images, (count, 28, 28, 1)."""
    sides = "pythae", "jaxgen"
    heads = [f"{side} {what}" for what in ("updates", "error", "Frechet", "recognised") for side in sides]
    yield f"{'':<12}{'seed':>5}" + "".join(f"{head:>18}" for head in heads) + "  difference of errors"
    for name in options.models:
        for seed in options.seeds:
            theirs = pythae.deterministic(MODELS[name], len(train), seed)
            both = Training(*theirs[:3]), ours(MODELS[name], seed, theirs.parameters)
            found = side_by_side(name, both, (train, test), judged, options, seed)
            cells = [f"{one.updates:>18,}" for one in found]
            cells += [f"{1_000 * one.errors.mean():>18.2f}" for one in found]
            cells += [f"{one.verdict.distance:>18.1f}" for one in found]
            cells += [f"{one.verdict.recognised.mean():>18.1%}" for one in found]
            low, high = interval(1_000 * (found[1].errors - found[0].errors))
            yield f"{name:<12}{seed:>5}" + "".join(cells) + f"  {(low + high) / 2:.2f} [{low:.2f}, {high:.2f}]"


def side_by_side(
    name: str,
    trainings: Sequence[Training],
    images: tuple[np.ndarray, np.ndarray],
    judged: Judge,
    options: Options,
    seed: int,
) -> list[Result]:
    """Train until each has used its minutes; the n-th block of all has the same images, (train, test)."""
    train, test = images

    def batches(block: int) -> np.ndarray:
        return _levels(train[equal_time.places(seed, block, (BLOCK, options.batch_size), len(train))])

    done = equal_time.train([training.block for training in trainings], batches, options)
    found = []
    for training, count in zip(trainings, done, strict=True):
        targets = _levels(test)
        errors = ((training.decode(training.encode(targets)) - targets) ** 2).mean(axis=(1, 2, 3))
        latents = np.random.default_rng(seed).standard_normal((options.num_samples, SHARED["latent_dim"]), np.float32)
        if name == "autoencoder":
            codes = training.encode(_levels(train[:10_000]))
            latents = codes.mean(axis=0) + latents @ np.linalg.cholesky(np.cov(codes.T)).T.astype(np.float32)
        verdict = judged(np.rint(255 * training.decode(latents)).astype(np.uint8))
        found.append(Result(count * BLOCK, errors, verdict))
    return found


def ours(config: Any, seed: int, parameters: int) -> Training:
    """Our training. ValueError if encoder and decoder have not so many parameters, as theirs have."""
    training = Blocks(config, seed)
    count = sum(leaf.size for leaf in jax.tree.leaves(training.state.autoencoder.params))
    if count != parameters:
        raise ValueError(f"{count} parameters beside {parameters} of theirs; no fair comparison")
    encode = jax.jit(lambda variables, images: coders.encode(config, variables, images)[0])
    decode = jax.jit(lambda variables, latents: coders.decode(config, variables, latents)[0])
    return Training(
        lambda batches: training(np.rint(255 * batches).astype(np.uint8)),
        lambda images: np.asarray(encode(training.state.autoencoder.variables, jnp.asarray(images))),
        lambda latents: np.asarray(decode(training.state.autoencoder.variables, jnp.asarray(latents))),
    )


def _levels(images: np.ndarray) -> np.ndarray:
    """uint8 as float32 in [0, 1]."""
    return images.astype(np.float32) / np.float32(255)


if __name__ == "__main__":
    cli.run(main)
