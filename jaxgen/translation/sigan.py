"""SiGAN: small faces made larger by a Siamese generator that keeps who they are.

Hsu, Lin, Su, Cheung: SiGAN: Siamese Generative Adversarial Network for Identity-Preserving Face Hallucination, 2018,
arXiv 1807.08370.

The generator enlarges small faces x of known people to G(x), which is to be the face y. Two copies of it with shared
weights see the two faces of a pair, and a network e, which learns with it, gives each of the two a vector. With
d_ij = ||e(G(x_i)) - e(G(x_j))|| the pair pays

    c_ij = d_ij^2 if i and j show one person, max(0, m - d_ij)^2 if not.                                    (1)

Pairs are all those of a batch; C is the mean over pairs of one person plus that over pairs of two. With `down` the mean
over blocks of pixels, as large as the input, the players minimise

    L_D = E[-log D(y)] + E[-log(1 - D(G(x)))],                                                             (2)
    L_G = E|G(x) - y| + alpha E|down(G(x)) - down(y)| + beta C + gamma E[-log D(G(x))],                     (3)

a step of D, then one of G and e.
"""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar, TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from jaxgen.batches import LabelledPaired
from jaxgen.checks import NonNegativeFloat, PositiveFloat, PositiveInt
from jaxgen.gans.discrimination import score_both
from jaxgen.gans.networks import AdversarialState, generator_step, scorer
from jaxgen.gans.objectives import NonSaturating, Objective
from jaxgen.images import ValueRange, scale
from jaxgen.losses.embeddings import siamese_contrastive
from jaxgen.losses.reconstruction import mean_absolute_error
from jaxgen.mode import EVALUATION, Mode
from jaxgen.model import Defaults
from jaxgen.moving_averages import MovingAverage, NoAverage
from jaxgen.nets.conv import ConvCritic
from jaxgen.nets.convolution import mean_pool
from jaxgen.nets.srresnet import SRResNet
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.parallel import gather
from jaxgen.train_state import LossOutput, apply, blank, create, create_parts, descend, training_mode
from jaxgen.translation import enlargement
from jaxgen.translation.patches import discriminator_value, generator_value
from jaxgen.typing import AxisName, Embeddings, Images, Key, Keys, Labels, Metrics, Points, Scalar, Shape, Variables

GENERATOR, EMBEDDER = "generator", "embedder"
"""Names of the two networks that learn together."""

EMBEDDING = 6
"""Of the keys of e: a stream beside those of the generator and of the discriminator's passes."""


@dataclass(frozen=True)
class Config(Defaults):
    """Settings, chosen here for faces of 8x8 that become 32x32; the paper's are not known to us."""

    input_shape: Shape = (8, 8, 3)  # of x
    image_shape: Shape = (32, 32, 3)  # of y; a power of 2 times as high and wide as x
    value_range: ValueRange = (-1.0, 1.0)
    num_classes: PositiveInt = 10  # people, as the data have them; no network depends on it
    generator: nn.Module = SRResNet()  # x to G(x)
    embedder: nn.Module = ConvCritic()  # e: image to vector
    discriminator: nn.Module = ConvCritic()  # D
    embedding_dim: PositiveInt = 64  # numbers of a vector
    objective: Objective = NonSaturating()
    margin: PositiveFloat = 1.0  # m
    reduced_weight: NonNegativeFloat = 1.0  # alpha
    contrastive_weight: NonNegativeFloat = 0.1  # beta
    adversarial_weight: NonNegativeFloat = 0.01  # gamma
    generator_optimizer: Optimizer = Optimizer(2e-4, Adam(b1=0.5))  # of G and e
    discriminator_optimizer: Optimizer = Optimizer(2e-4, Adam(b1=0.5))
    average: MovingAverage = NoAverage()  # of the generator, by which images are enlarged

    batch_type: ClassVar = LabelledPaired


State: TypeAlias = AdversarialState
"""What the next update needs; the player `generator` has the parts `generator` and `embedder`."""


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers."""
    enlargement.factor(config)
    key_generator, key_discriminator = jax.random.split(key)
    images = blank(config.image_shape)
    parts = {
        GENERATOR: (config.generator, blank(config.input_shape), config.image_shape),
        EMBEDDER: (config.embedder, images, (config.embedding_dim,)),
    }
    generator = create_parts(parts, config.generator_optimizer, key_generator)
    discriminator = create(config.discriminator, config.discriminator_optimizer, key_discriminator, images, ())
    return State(generator, discriminator, ema=generator.variables)


def enlarge(config: Config, variables: Variables, images: Points, mode: Mode = EVALUATION) -> tuple[Images, Variables]:
    """G(x) of images of any size, not clipped, and the variables of G and e after the pass."""
    return enlargement.enlarge(config, variables, images, mode, part=GENERATOR)


def embed(
    config: Config, variables: Variables, images: Images, mode: Mode = EVALUATION
) -> tuple[Embeddings, Variables]:
    """e of images of high resolution, and the variables of G and e after the pass."""
    inputs = images, (config.embedding_dim,)
    return apply(config.embedder, variables, *inputs, mode=mode.stream(EMBEDDING), part=EMBEDDER)


def contrast(config: Config, vectors: Embeddings, people: Labels) -> Scalar:
    """C: the mean of equation 1 over the pairs of one person, plus that over the pairs of two; of none, 0."""
    one, other = np.triu_indices(vectors.shape[0], 1)
    same = people[one] == people[other]
    values = siamese_contrastive(vectors[one], vectors[other], same, margin=config.margin)
    kinds = jnp.stack([same, ~same]).astype(values.dtype)
    return ((kinds @ values) / jnp.maximum(kinds.sum(axis=1), 1.0)).sum()


def discriminator_loss(config: Config, variables: Variables, targets: Images, fakes: Images, mode: Mode) -> LossOutput:
    """Equation 2."""
    scores, variables = score_both(scorer(config.discriminator), variables, targets, fakes, mode)
    loss, metrics = discriminator_value(config.objective, *scores, mode)
    return loss, (metrics | {"discriminator_loss": loss}, variables)


def generator_loss(
    config: Config, variables: Variables, opponent: Variables, batch: LabelledPaired, mode: Mode
) -> LossOutput:
    """Equation 3, of a batch in the value range; the pairs are those of all devices."""
    fakes, variables = enlarge(config, variables, batch.inputs, mode)
    vectors, variables = embed(config, variables, fakes, mode)
    contrastive = contrast(config, *(gather(each, mode.axis_name) for each in (vectors, batch.labels)))
    real = batch.targets if config.objective.needs_real else None
    scores, _ = score_both(scorer(config.discriminator), opponent, real, fakes, mode)
    adversarial = generator_value(config.objective, *scores, mode)
    factor = enlargement.factor(config)
    error = mean_absolute_error(fakes, batch.targets).mean()
    reduced = mean_absolute_error(*(mean_pool(each, factor) for each in (fakes, batch.targets))).mean()
    loss = error + config.reduced_weight * reduced + config.contrastive_weight * contrastive
    metrics = {"generator_loss": adversarial, "error": error, "reduced_error": reduced, "contrastive": contrastive}
    return loss + config.adversarial_weight * adversarial, (metrics, variables)


def update(
    config: Config, state: State, batch: LabelledPaired, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One step of the discriminator, then one of the generator, both with the G(x) of the generator before it.

    Args:
        config: settings.
        state: networks and optimisers.
        batch: small faces, large ones, uint8 or floats in range, and who they show.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    inputs, targets = (scale(images, config.value_range) for images in (batch.inputs, batch.targets))
    batch = LabelledPaired(inputs, targets, batch.labels)
    mode = training_mode(state.generator, key, inputs.shape[0], axis_name)
    fakes, _ = enlarge(config, state.generator.variables, batch.inputs, mode)
    shown, loss = (batch.targets, fakes, mode), partial(discriminator_loss, config)
    discriminator, metrics_d = descend(state.discriminator, loss, shown, axis_name, "discriminator")
    inputs = discriminator.variables, batch, mode
    generator, ema, metrics_g = generator_step(config, state, generator_loss, inputs, axis_name)
    return State(generator, discriminator, ema), metrics_d | metrics_g


def sample(config: Config, state: State, key: Keys, num: int, condition: Points | None = None) -> jax.Array:
    """G(x) of each of `num` images, `condition`, of any size, in the value range; the key plays no part."""
    return enlargement.enlarged(config, state, condition, GENERATOR)
