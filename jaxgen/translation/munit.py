"""MUNIT: many translations of an image, by codes of content and of style, learned without pairs.

Huang, Liu, Belongie, Kautz: Multimodal Unsupervised Image-to-Image Translation, 2018, arXiv 1804.04732.

An image has a content c and a style s: E_a(a) = (c_a, s_a), and G_a(c_a, s_a) = a. The domains share the contents; a
translation has the content of its input and a style of the other domain, drawn from N(0, I). With s'_a and s'_b drawn,
x_a = G_a(c_b, s'_a) and x_b = G_b(c_a, s'_b), the players minimise

    L_G = mu L_gan + lambda_x (E|G_a(c_a, s_a) - a| + E|G_b(c_b, s_b) - b|)                                  (1)
          + lambda_s (E|s(x_a) - s'_a| + E|s(x_b) - s'_b|) + lambda_c (E|c(x_a) - c_b| + E|c(x_b) - c_a|)
          + lambda_cyc (E|G_a(c(x_b), s_a) - a| + E|G_b(c(x_a), s_b) - b|)
    L_D = mu sum over domains and scales of (E(D(x) - 1)^2 + E D(fake)^2)                                    (2)

a step of the discriminators, then one of the encoders and decoders together. Gradients flow into the contents c_a and
c_b also where they are targets, as in the authors' code. All means are over examples, places and channels. The
objective of least squares has a half, which mu takes away.
"""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar, NamedTuple, TypeAlias

import flax.linen as nn
import jax

from jaxgen.batches import Unpaired
from jaxgen.checks import NonNegativeFloat, PositiveInt
from jaxgen.gans.networks import AdversarialState, generator_step
from jaxgen.gans.objectives import LeastSquares, Objective
from jaxgen.images import ValueRange, squash
from jaxgen.mode import EVALUATION, Mode
from jaxgen.model import Defaults
from jaxgen.moving_averages import MovingAverage, NoAverage
from jaxgen.nets.munit import StyleDecoder, StyleEncoder
from jaxgen.nets.unit import ContentEncoder, MultiScaleDiscriminator
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.parallel import example_keys
from jaxgen.train_state import LossOutput, apply, blank, create_parts, descend, training_mode
from jaxgen.translation.codes import (
    AGAIN,
    BACK,
    FIRST,
    FIRST_NOISE,
    FORTH,
    OTHER,
    OWN,
    SAME,
    normal,
    normal_of_both,
    of_both,
    shape_of,
)
from jaxgen.translation.cycles import (
    A,
    B,
    Both,
    create_judges,
    discriminators_value,
    distance,
    generators_value,
    require_condition,
    scaled,
)
from jaxgen.typing import AxisName, Images, Key, Keys, Latents, Metrics, Points, Shape, Variables

ADAM = Optimizer(1e-4, Adam(b1=0.5), weight_decay=1e-4)


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; the defaults are those of the authors' code for 256x256 pixels."""

    image_shape: Shape = (256, 256, 3)  # of both domains
    value_range: ValueRange = (-1.0, 1.0)
    style_dim: PositiveInt = 8  # size of s
    content_encoder: nn.Module = ContentEncoder()  # of each domain
    style_encoder: nn.Module = StyleEncoder()  # of each domain
    decoder: nn.Module = StyleDecoder()  # of each domain
    discriminator: nn.Module = MultiScaleDiscriminator()  # of each domain
    objective: Objective = LeastSquares()
    adversarial_weight: NonNegativeFloat = 2.0  # mu, of the objective for both players
    reconstruction_weight: NonNegativeFloat = 10.0  # lambda_x
    style_weight: NonNegativeFloat = 1.0  # lambda_s
    content_weight: NonNegativeFloat = 1.0  # lambda_c
    cycle_weight: NonNegativeFloat = 0.0  # lambda_cyc: 10 for summer and winter in the authors' code
    generator_optimizer: Optimizer = ADAM  # of encoders and decoders
    discriminator_optimizer: Optimizer = ADAM
    average: MovingAverage = NoAverage()  # of encoders and decoders, by which images are translated

    batch_type: ClassVar = Unpaired


State: TypeAlias = AdversarialState  # encoders and decoders are parts of the generator, a and b of the discriminator


class Codes(NamedTuple):
    """What an image is made of."""

    content: Points  # c
    style: Latents  # s


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers."""
    key_generator, key_discriminator = jax.random.split(key)
    images, style = blank(config.image_shape), (config.style_dim,)
    nets = {
        "content_encoder": (config.content_encoder, images, ()),
        "style_encoder": (config.style_encoder, images, style),
    }
    codes = blank(shape_of(*nets["content_encoder"])), blank(style)
    nets["decoder"] = config.decoder, *codes, config.image_shape
    parts = {f"{name}_{domain}": net for name, net in nets.items() for domain in (A, B)}
    generator = create_parts(parts, config.generator_optimizer, key_generator)
    return State(generator, create_judges(config, key_discriminator), generator.variables)


def encode(
    config: Config, variables: Variables, domain: str, images: Images, mode: Mode = EVALUATION
) -> tuple[Codes, Variables]:
    """c and s of images of a domain, and the variables after the passes."""
    inputs, part = (images, ()), f"content_encoder_{domain}"
    content, variables = apply(config.content_encoder, variables, *inputs, mode=mode.stream(OWN), part=part)
    inputs, part = (images, (config.style_dim,)), f"style_encoder_{domain}"
    style, variables = apply(config.style_encoder, variables, *inputs, mode=mode.stream(OTHER), part=part)
    return Codes(content, style), variables


def decode(
    config: Config, variables: Variables, domain: str, codes: Codes, mode: Mode = EVALUATION
) -> tuple[Images, Variables]:
    """G(c, s), images of a domain in the value range, and the variables after the pass."""
    inputs = codes.content, codes.style, config.image_shape
    outputs, variables = apply(config.decoder, variables, *inputs, mode=mode, part=f"decoder_{domain}")
    return squash(outputs, config.value_range), variables


def swapped(codes: Both, styles: Both) -> Both:
    """Codes in domain a of the contents of b, and the reverse, with styles of the domain that they are in."""
    return Both(Codes(codes.b.content, styles.a), Codes(codes.a.content, styles.b))


def drawn(config: Config, mode: Mode) -> Both:
    """s' of both domains."""
    return normal_of_both(Both((config.style_dim,), (config.style_dim,)), mode, FIRST_NOISE)


def translated(config: Config, variables: Variables, images: Both, mode: Mode) -> Both:
    """x_a and x_b: images of a with contents of b, and the reverse, of drawn styles."""
    codes, variables = of_both(partial(encode, config), variables, images, mode, FIRST)
    return of_both(partial(decode, config), variables, swapped(codes, drawn(config, mode)), mode, FORTH)[0]


def generator_loss(config: Config, variables: Variables, opponent: Variables, images: Both, mode: Mode) -> LossOutput:
    """Equation 1."""
    into, out_of, styles = partial(encode, config), partial(decode, config), drawn(config, mode)
    codes, variables = of_both(into, variables, images, mode, FIRST)
    same, variables = of_both(out_of, variables, codes, mode, SAME)
    wanted = swapped(codes, styles)
    fakes, variables = of_both(out_of, variables, wanted, mode, FORTH)
    again, variables = of_both(into, variables, fakes, mode, AGAIN)
    adversarial = generators_value(config, opponent, images, fakes, mode)
    reconstruction = distance(same, images)
    style = distance(Both(again.a.style, again.b.style), styles)
    content = distance(Both(again.a.content, again.b.content), Both(wanted.a.content, wanted.b.content))
    loss = config.adversarial_weight * adversarial + config.reconstruction_weight * reconstruction
    loss += config.style_weight * style + config.content_weight * content
    metrics = {"generator_loss": adversarial, "reconstruction": reconstruction, "style": style, "content": content}
    if config.cycle_weight > 0:
        own = Both(codes.a.style, codes.b.style)
        back, variables = of_both(out_of, variables, swapped(again, own), mode, BACK)
        metrics["cycle"] = distance(back, images)
        loss += config.cycle_weight * metrics["cycle"]
    return loss, (metrics, variables)


def discriminator_loss(config: Config, variables: Variables, images: Both, fakes: Both, mode: Mode) -> LossOutput:
    """Equation 2, of both domains together."""
    value, (metrics, variables) = discriminators_value(config, variables, images, fakes, mode)
    loss = config.adversarial_weight * value
    return loss, (metrics | {"discriminator_loss": loss}, variables)


def update(
    config: Config, state: State, batch: Unpaired, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One step of both discriminators, then one of the encoders and decoders.

    Args:
        config: settings.
        state: networks and optimisers.
        batch: as many images of each domain, uint8 or floats in range.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    images = scaled(config, batch)
    first, second = (training_mode(state.generator, one, len(images.a), axis_name) for one in jax.random.split(key))
    fakes = translated(config, state.generator.variables, images, first)
    inputs, loss = (images, fakes, first), partial(discriminator_loss, config)
    discriminator, metrics_d = descend(state.discriminator, loss, inputs, axis_name, "discriminator")
    inputs = discriminator.variables, images, second
    generator, ema, metrics_g = generator_step(config, state, generator_loss, inputs, axis_name)
    return State(generator, discriminator, ema), metrics_d | metrics_g


def to_a(config: Config, state: State, keys: Keys, images: Images) -> Images:
    """G_a(c(b), s'), in the value range, by the moving average; s' is drawn from each image's own key."""
    return _drawn_from(config, state, keys, images, (B, A))


def to_b(config: Config, state: State, keys: Keys, images: Images) -> Images:
    """G_b(c(a), s'), in the value range, by the moving average; s' is drawn from each image's own key."""
    return _drawn_from(config, state, keys, images, (A, B))


def sample(config: Config, state: State, key: Keys, num: int, condition: Images | None = None) -> Images:
    """G_b(c(a), s') of each of `num` images, `condition`, in the value range; s' is drawn from each image's own key."""
    return to_b(config, state, key, require_condition(condition))


def _drawn_from(config: Config, state: State, keys: Keys, images: Images, domains: tuple[str, str]) -> jax.Array:
    own, other = domains
    codes, _ = encode(config, state.ema, own, images)
    styles = normal(example_keys(keys, images.shape[0]), (config.style_dim,))
    return decode(config, state.ema, other, Codes(codes.content, styles))[0]
