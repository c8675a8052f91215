"""A codebook in a model's state: fresh, its vectors, what it learns from a batch; and codes under a prior.

The codebook learns by moving averages or by gradient: `jaxgen.autoencoders.codebook` has the settings and the formulas.
"""

from collections.abc import Callable
from typing import TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgen.autoencoders import codebook
from jaxgen.autoencoders.codebook import Averages, ByGradient, ByMovingAverage, Encodings, Learning, Vectors
from jaxgen.losses.information import cross_entropy
from jaxgen.losses.likelihoods import bits_per_dim
from jaxgen.losses.reconstruction import mean_squared_error
from jaxgen.nets.pixelcnn import Grid
from jaxgen.optimizers import Optimizer
from jaxgen.parallel import example_keys
from jaxgen.train_state import LossOutput, TrainState, descend, from_variables
from jaxgen.typing import AxisName, Key, Keys, Metrics, Scalar, Shape, Variables

Learner: TypeAlias = Averages | TrainState
"""A codebook as it learns: by moving averages or by gradient."""

Logits: TypeAlias = Float[Array, "batch rows columns K"]


UNIFORM = nn.initializers.variance_scaling(1.0, "fan_out", "uniform")
"""Entries of a fresh codebook, with variance 1 / d."""


def fresh(
    learning: Learning,
    optimizer: Optimizer,
    size: tuple[int, int],
    key: Key,
    initializer: nn.initializers.Initializer = UNIFORM,
) -> Learner:
    """A codebook of `size` (K, d) with the entries of the initialiser; the optimiser is of one by gradient."""
    variables: Variables = dict(nn.Embed(*size, embedding_init=initializer).init(key, jnp.zeros((1,), jnp.int32)))
    if isinstance(learning, ByMovingAverage):
        return codebook.start(variables["params"]["embedding"])
    return from_variables(variables, optimizer)


def vectors_of(learning: Learning, learner: Learner) -> Vectors:
    """The codebook, (K, d)."""
    match learning, learner:
        case ByMovingAverage(epsilon=epsilon), Averages():
            return codebook.vectors_of(learner, epsilon)
        case ByGradient(), TrainState():
            return learner.params["embedding"]
    raise _unsuited(learning, learner)


def codebook_loss(variables: Variables, encodings: Encodings) -> LossOutput:
    """||sg[z_e] - z_q||^2, mean over the numbers of all encodings."""
    vectors = variables["params"]["embedding"]
    quantized = vectors[codebook.nearest(encodings, jax.lax.stop_gradient(vectors))]
    loss = mean_squared_error(quantized, encodings).mean()
    return loss, ({"codebook_loss": loss}, variables)


def learn(
    learning: Learning, learner: Learner, encodings: Encodings, key: Key, axis_name: AxisName = None
) -> tuple[Learner, Metrics]:
    """The codebook after the encodings of a batch."""
    match learning, learner:
        case ByMovingAverage() as settings, Averages():
            codes = codebook.nearest(encodings, vectors_of(learning, learner))
            return codebook.follow(learner, settings, encodings, codes, key, axis_name), {}
        case ByGradient(), TrainState():
            return descend(learner, codebook_loss, (encodings,), axis_name)
    raise _unsuited(learning, learner)


def quantize(encodings: Encodings, vectors: Vectors) -> tuple[Encodings, Scalar]:
    """The nearest vectors, their gradient that of the encodings, and ||z_e - sg[z_q]||^2, mean over all numbers."""
    quantized = vectors[codebook.nearest(jax.lax.stop_gradient(encodings), vectors)]
    return codebook.straight_through(encodings, quantized), mean_squared_error(encodings, quantized).mean()


def code_nll(logits: Logits, codes: Grid) -> tuple[Scalar, Scalar]:
    """-log p(codes) in nats for each image, mean over the batch; and in bits for each code."""
    num = codes.shape[1] * codes.shape[2]
    nll = num * cross_entropy(logits.reshape(-1, logits.shape[3]), codes.reshape(-1)).mean()
    return nll, bits_per_dim(nll, num)


def draw_codes(logits_of: Callable[[Grid], Logits], key: Keys, num: int, sides: Shape) -> Grid:
    """`num` grids of codes, position by position in raster order.

    Args:
        logits_of: grids of codes to the logits of each position, given those before it.
        key: one key, or one for each grid.
        num: how many.
        sides: rows and columns.
    """
    rows, columns = sides
    keys = example_keys(key, num)

    def step(codes: Grid, position: jax.Array) -> tuple[Grid, None]:
        row, column = position // columns, position % columns
        logits = logits_of(codes)[:, row, column]
        keys_here = jax.vmap(jax.random.fold_in, (0, None))(keys, position)
        drawn = jax.vmap(jax.random.categorical)(keys_here, logits)
        return codes.at[:, row, column].set(drawn), None

    codes, _ = jax.lax.scan(step, jnp.zeros((num, rows, columns), jnp.int32), jnp.arange(rows * columns))
    return codes


def _unsuited(learning: Learning, learner: Learner) -> ValueError:
    kind = type(learner).__name__
    return ValueError(f"the state's codebook is {kind}, but {learning} needs another: make the state by `init`")
