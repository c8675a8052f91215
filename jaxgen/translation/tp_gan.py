"""TP-GAN: the frontal view of a turned face, by a pathway of the whole face and one of its parts.

Huang, Zhang, Li, He: Beyond Face Rotation: Global and Local Perception GAN for Photorealistic and Identity Preserving
Frontal View Synthesis, 2017, arXiv 1704.04086.

From a turned face x a local pathway makes four parts p_k of the frontal one, eyes, nose and mouth, which are pasted at
fixed places and fused by their element-wise maximum. The global pathway makes of x, of noise z and of the fused maps
the images G_s at full size, half of it and a quarter (s = 1, 2, 3), and a code of who it is. With y the frontal face,
y_s the means of its blocks of pixels, y^(k) its parts, m the mirror image, phi_l the last two layers of a frozen
network that recognises people and q the probabilities of people by the code, the players minimise

    L_D = E[-log D(y)] + E[-log(1 - D(G_1))]                                                              (1)
    L_pixel = sum_s w_s E|G_s - y_s|,    L_sym = sum_s w_s E|G_s - m(G_s)|                                (2)
    L_adv = E[-log D(G_1)],    L_ip = sum_l E|phi_l(G_1) - phi_l(y)|                                      (3)
    L_tv = total variation of G_1,    L_ce = E[-log q(person)],    L_parts = sum_k E|p_k - y^(k)|         (4)
    L_G = L_pixel + lambda_1 L_sym + lambda_2 L_adv + lambda_3 L_ip + lambda_4 L_tv + alpha L_ce + beta L_parts  (5)

a step of D, then one of G. Each mean is over examples and all elements of the image, the part, the map of scores or the
features, and so is the total variation: for these the paper's weights are made. The authors' code has sums over pixels,
and weights that are larger by about the 128 x 128 of them; w_s and beta are the code's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.batches import LabelledPaired
from jaxgen.checks import NonNegativeFloat, PositiveFloat, PositiveInt, require
from jaxgen.gans.discrimination import score_both
from jaxgen.gans.networks import generator_step
from jaxgen.gans.objectives import NonSaturating, Objective
from jaxgen.images import ValueRange, scale, squash
from jaxgen.losses.information import cross_entropy
from jaxgen.losses.reconstruction import mean_absolute_error, total_variation
from jaxgen.metrics.classification import accuracy
from jaxgen.mode import EVALUATION, Mode
from jaxgen.model import Defaults
from jaxgen.moving_averages import MovingAverage, NoAverage
from jaxgen.nets.classifier import ConvClassifier
from jaxgen.nets.convolution import mean_pool
from jaxgen.nets.layer_maps import LayerMaps
from jaxgen.nets.tp_gan import CoarseDiscriminator, GlobalPathway, IdentityHead, LocalPathway
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal, Prior
from jaxgen.train_state import (
    LossOutput,
    TrainState,
    apply,
    blank,
    create,
    create_parts,
    descend,
    freeze,
    training_mode,
)
from jaxgen.translation.feature_maps import feature_maps
from jaxgen.translation.patches import discriminator_value, generator_value, patch_scorer
from jaxgen.translation.templates import Template, cut, fuse
from jaxgen.typing import AxisName, Images, Key, Keys, Labels, Latents, Metrics, Points, Scalar, Shape, Variables

GENERATOR, HEAD, FEATURES = "generator", "head", "features"
"""Names of the global pathway and of the identity head among the parts of a player, and of the frozen network."""

GLOBAL, IDENTITY, LOCAL = 5, 6, 7
"""Streams of the keys of a pass besides those of the discriminator's; the parts of a face take `LOCAL` and on."""


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; the defaults are the paper's and the authors' code's, but for the frozen network, there a Light CNN."""

    image_shape: Shape = (128, 128, 3)  # of x and y
    value_range: ValueRange = (-1.0, 1.0)
    num_classes: PositiveInt = 340  # people of the training faces
    template: Template = Template()  # where the parts of a face lie
    prior: Prior = Normal(100)  # of z, but for its size
    noise_deviation: PositiveFloat = 0.02  # of z
    generator: nn.Module = GlobalPathway()  # x, z and the fused maps to G_s and the code
    local: nn.Module = LocalPathway()  # a part of x to that of y; one of its own for each part
    head: nn.Module = IdentityHead()  # code to logits of people
    discriminator: nn.Module = CoarseDiscriminator()  # image to a map of scores
    features: nn.Module | None = LayerMaps(ConvClassifier(), ("Conv_5", "ConvCritic_0"), (2,))  # phi; or None
    objective: Objective = NonSaturating(smoothing=0.1)
    scale_weights: tuple[float, float, float] = (1.0, 1.0, 1.5)  # w_s
    symmetry_weight: NonNegativeFloat = 0.3  # lambda_1
    adversarial_weight: NonNegativeFloat = 1e-3  # lambda_2
    identity_weight: NonNegativeFloat = 3e-3  # lambda_3
    variation_weight: NonNegativeFloat = 1e-4  # lambda_4
    class_weight: NonNegativeFloat = 1e-3  # alpha
    parts_weight: NonNegativeFloat = 0.3  # beta; the code's 3 for sums over parts of 40x40
    generator_optimizer: Optimizer = Optimizer(1e-4, Adam())  # of both pathways and the head
    discriminator_optimizer: Optimizer = Optimizer(1e-4, Adam())
    average: MovingAverage = NoAverage()  # of the generator, by which faces are turned

    batch_type: ClassVar = LabelledPaired

    def __post_init__(self):
        super().__post_init__()
        self.template.require_within(self.image_shape)
        require(min(self.scale_weights) >= 0, "scale_weights", self.scale_weights, "at least 0")


class State(NamedTuple):
    """What the next update needs; the player `generator` has the parts `generator`, `head` and those of a face."""

    generator: TrainState
    discriminator: TrainState
    ema: Variables  # moving average of the generator's
    features: Any  # Frozen; None without


class Frontal(NamedTuple):
    """What is made of turned faces, in the value range."""

    images: tuple[jax.Array, jax.Array, jax.Array]  # G_s, the largest first
    parts: tuple[jax.Array, ...]  # p_k
    code: Points


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers, and random weights of the frozen network."""
    key_generator, key_discriminator, key_features = jax.random.split(key, 3)
    image, channels = blank(config.image_shape), config.image_shape[2]
    parts = {
        name: (config.local, cut(image, place), (place.height, place.width, channels))
        for name, place in config.template.places.items()
    }

    def fused() -> jax.Array:
        variables = create_parts(parts, config.generator_optimizer, key_generator).variables
        return _local(config, variables, image, EVALUATION)[0][0]

    inputs = image, blank(config.prior.shape), jnp.zeros(jax.eval_shape(fused).shape), config.image_shape
    code = jax.eval_shape(lambda: config.generator.init_with_output(key_generator, *inputs))[0].code
    parts |= {
        GENERATOR: (config.generator, *inputs),
        HEAD: (config.head, jnp.zeros(code.shape), (config.num_classes,)),
    }
    generator = create_parts(parts, config.generator_optimizer, key_generator)
    discriminator = create(config.discriminator, config.discriminator_optimizer, key_discriminator, image, ())
    features = None if config.features is None else freeze(config.features, FEATURES, key_features, image, ())
    return State(generator, discriminator, generator.variables, features)


def draw_noise(config: Config, key: Keys, num: int, axis_name: AxisName = None) -> Latents:
    """z."""
    return config.noise_deviation * config.prior.draw(key, num, axis_name)


def generate(
    config: Config, variables: Variables, images: Images, noise: Latents, mode: Mode = EVALUATION
) -> tuple[Frontal, Variables]:
    """G_s, p_k and the code of x and z, and the generator's variables after the pass."""
    (fused, parts), variables = _local(config, variables, images, mode)
    inputs = images, noise, fused, config.image_shape
    outputs, variables = apply(config.generator, variables, *inputs, mode=mode.stream(GLOBAL), part=GENERATOR)
    full, half, quarter = (squash(each, config.value_range) for each in outputs.images)
    return Frontal((full, half, quarter), parts, outputs.code), variables


def _local(
    config: Config, variables: Variables, images: Images, mode: Mode
) -> tuple[tuple[jax.Array, tuple[jax.Array, ...]], Variables]:
    """Maps and images of all parts, fused, and the images p_k of each."""
    channels, found, maps = config.image_shape[2], [], []
    for number, (name, place) in enumerate(config.template.places.items()):
        inputs = cut(images, place), (place.height, place.width, channels)
        stream = mode.stream(LOCAL + number)
        rotated, variables = apply(config.local, variables, *inputs, mode=stream, part=name)
        found.append(squash(rotated.image, config.value_range))
        maps.append(jnp.concatenate([rotated.maps, found[-1]], axis=3))
    fused = fuse(maps, tuple(config.template.places.values()), config.image_shape)
    return (fused, tuple(found)), variables


def discriminator_loss(config: Config, variables: Variables, targets: Images, fakes: Images, mode: Mode) -> LossOutput:
    """Equation 1, mean over the places of the maps of scores."""
    scores, variables = score_both(patch_scorer(config.discriminator), variables, targets, fakes, mode)
    loss, metrics = discriminator_value(config.objective, *scores, mode)
    return loss, (metrics | {"discriminator_loss": loss}, variables)


def over_scales(config: Config, errors: Sequence[Scalar]) -> Scalar:
    """sum_s w_s of the errors of the images G_s."""
    weights = jnp.array(config.scale_weights)
    return (weights * jnp.stack(errors)).sum()


def pixel_error(config: Config, frontal: Frontal, targets: Images) -> Scalar:
    """L_pixel, equation 2."""
    pairs = [(image, mean_pool(targets, 2**halvings)) for halvings, image in enumerate(frontal.images)]
    return over_scales(config, [mean_absolute_error(*pair).mean() for pair in pairs])


def asymmetry(config: Config, frontal: Frontal) -> Scalar:
    """L_sym, equation 2."""
    return over_scales(config, [mean_absolute_error(each, each[:, :, ::-1]).mean() for each in frontal.images])


def parts_error(config: Config, frontal: Frontal, targets: Images) -> Scalar:
    """L_parts, equation 4."""
    pairs = zip(frontal.parts, config.template.places.values(), strict=True)
    return jnp.stack([mean_absolute_error(part, cut(targets, place)).mean() for part, place in pairs]).sum()


def identity_error(config: Config, features: Variables, images: Images, targets: Images) -> Scalar:
    """L_ip, equation 3."""
    found, wanted = (feature_maps(config, features, each) for each in (images, targets))
    return jnp.stack([mean_absolute_error(*pair).mean() for pair in zip(found, wanted, strict=True)]).sum()


def identify(config: Config, variables: Variables, code: Points, mode: Mode = EVALUATION) -> tuple[Points, Variables]:
    """Logits of people, (batch, classes), by the code, and the generator's variables after the pass."""
    return apply(config.head, variables, code, (config.num_classes,), mode=mode.stream(IDENTITY), part=HEAD)


class Shown(NamedTuple):
    """What the generator's loss is given of a batch, in the value range."""

    inputs: Images  # x
    targets: Images  # y
    labels: Labels
    noise: Latents  # z


def generator_loss(config: Config, variables: Variables, state: State, shown: Shown, mode: Mode) -> LossOutput:
    """Equation 5; `state` holds the discriminator and the frozen network."""
    frontal, variables = generate(config, variables, shown.inputs, shown.noise, mode)
    image, targets = frontal.images[0], shown.targets
    real = targets if config.objective.needs_real else None
    scores, _ = score_both(patch_scorer(config.discriminator), state.discriminator.variables, real, image, mode)
    logits, variables = identify(config, variables, frontal.code, mode)
    terms = {
        "pixel": (1.0, pixel_error(config, frontal, targets)),
        "symmetry": (config.symmetry_weight, asymmetry(config, frontal)),
        "generator_loss": (config.adversarial_weight, generator_value(config.objective, *scores, mode)),
        "total_variation": (config.variation_weight, total_variation(image).mean() / image[0].size),
        "cross_entropy": (config.class_weight, cross_entropy(logits, shown.labels).mean()),
        "parts": (config.parts_weight, parts_error(config, frontal, targets)),
    }
    if config.features is not None:
        error = identity_error(config, state.features.variables, image, targets)
        terms["identity"] = config.identity_weight, error
    loss = jnp.stack([weight * value for weight, value in terms.values()]).sum()
    metrics = {name: value for name, (_, value) in terms.items()}
    return loss, (metrics | {"accuracy": accuracy(logits, shown.labels)}, variables)


def update(
    config: Config, state: State, batch: LabelledPaired, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One step of the discriminator, then one of the generator, both with the same G_1 of the generator before it.

    Args:
        config: settings.
        state: networks, optimisers and features.
        batch: turned faces, frontal ones, uint8 or floats in range, and who they show.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    key_noise, key_pass = jax.random.split(key)
    inputs, targets = (scale(images, config.value_range) for images in (batch.inputs, batch.targets))
    noise = draw_noise(config, key_noise, len(inputs), axis_name)
    mode = training_mode(state.generator, key_pass, len(inputs), axis_name)
    frontal, _ = generate(config, state.generator.variables, inputs, noise, mode)
    given, loss = (targets, frontal.images[0], mode), partial(discriminator_loss, config)
    discriminator, metrics_d = descend(state.discriminator, loss, given, axis_name, "discriminator")
    state = state._replace(discriminator=discriminator)
    given = state, Shown(inputs, targets, batch.labels, noise), mode
    generator, ema, metrics_g = generator_step(config, state, generator_loss, given, axis_name)
    return state._replace(generator=generator, ema=ema), metrics_d | metrics_g


def sample(config: Config, state: State, key: Keys, num: int, condition: Images | None = None) -> Images:
    """G_1 of each of `num` turned faces, `condition`, in the value range; z of the image's own key."""
    if condition is None:
        raise ValueError("condition is None, but must be turned faces, in the value range")
    return generate(config, state.ema, condition, draw_noise(config, key, num))[0].images[0]
