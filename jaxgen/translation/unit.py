"""UNIT: two domains with one latent space, learned without pairs.

Liu, Breuel, Kautz: Unsupervised Image-to-Image Translation Networks, 2017, arXiv 1703.00848, with the losses and
weights of the later code of its authors.

An encoder E and a decoder G of each domain meet in one space of maps h: the last blocks of both encoders and the first
ones of both decoders are the same networks. The posterior of an image is N(E(x), I): decoders are given E(x) + eps in
training, and E(x) afterwards. With the translations x_b = G_b(E_a(a) + eps) and x_a = G_a(E_b(b) + eps), the players
minimise

    L_G = mu L_gan + lambda_1 (E|G_a(E_a(a) + eps) - a| + E|G_b(E_b(b) + eps) - b|)                          (1)
          + lambda_2 (E E_a(a)^2 + E E_b(b)^2) + lambda_3 (E|G_a(E_b(x_b) + eps') - a| + E|G_b(E_a(x_a) + eps') - b|)
          + lambda_4 (E E_b(x_b)^2 + E E_a(x_a)^2)
    L_D = mu sum over domains and scales of (E(D(x) - 1)^2 + E D(fake)^2)                                    (2)

a step of the discriminators, then one of the encoders and decoders together. Means of squared codes stand for the
divergences of the posteriors from N(0, I). All means are over examples, places and channels. The objective of least
squares has a half, which mu takes away.
"""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar, TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.batches import Unpaired
from jaxgen.checks import NonNegativeFloat
from jaxgen.gans.networks import AdversarialState, generator_step
from jaxgen.gans.objectives import LeastSquares, Objective
from jaxgen.images import ValueRange, squash
from jaxgen.mode import EVALUATION, Mode
from jaxgen.model import Defaults
from jaxgen.moving_averages import MovingAverage, NoAverage
from jaxgen.nets.unit import ContentDecoder, ContentEncoder, MultiScaleDiscriminator, ResidualBlocks
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.train_state import LossOutput, apply, blank, create_parts, descend, training_mode
from jaxgen.translation.codes import (
    AGAIN,
    AGAIN_NOISE,
    BACK,
    FIRST,
    FIRST_NOISE,
    FORTH,
    OTHER,
    OWN,
    SAME,
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
    exchanged,
    generators_value,
    require_condition,
    scaled,
)
from jaxgen.typing import AxisName, Images, Key, Keys, Metrics, Points, Scalar, Shape, Variables

ADAM = Optimizer(1e-4, Adam(b1=0.5), weight_decay=1e-4)


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; the defaults are those of the authors' code for 256x256 pixels, with the paper's shared layers."""

    image_shape: Shape = (256, 256, 3)  # of both domains
    value_range: ValueRange = (-1.0, 1.0)
    encoder: nn.Module = ContentEncoder(blocks=3)  # of each domain
    shared_encoder: nn.Module = ResidualBlocks(1)  # the end of both; with 0 blocks nothing is shared
    shared_decoder: nn.Module = ResidualBlocks(1)  # the beginning of both
    decoder: nn.Module = ContentDecoder(blocks=3)  # of each domain
    discriminator: nn.Module = MultiScaleDiscriminator()  # of each domain
    objective: Objective = LeastSquares()
    adversarial_weight: NonNegativeFloat = 2.0  # mu, of the objective for both players
    reconstruction_weight: NonNegativeFloat = 10.0  # lambda_1
    kl_weight: NonNegativeFloat = 0.01  # lambda_2
    cycle_weight: NonNegativeFloat = 10.0  # lambda_3
    cycle_kl_weight: NonNegativeFloat = 0.01  # lambda_4
    generator_optimizer: Optimizer = ADAM  # of encoders and decoders
    discriminator_optimizer: Optimizer = ADAM
    average: MovingAverage = NoAverage()  # of encoders and decoders, by which images are translated

    batch_type: ClassVar = Unpaired


State: TypeAlias = AdversarialState  # encoders and decoders are parts of the generator, a and b of the discriminator


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers."""
    key_generator, key_discriminator = jax.random.split(key)
    encoder = config.encoder, blank(config.image_shape), ()
    codes = blank(shape_of(*encoder))
    decoder = config.decoder, codes, config.image_shape
    parts = {f"encoder_{domain}": encoder for domain in (A, B)} | {f"decoder_{domain}": decoder for domain in (A, B)}
    parts |= {
        "shared_encoder": (config.shared_encoder, codes, ()),
        "shared_decoder": (config.shared_decoder, codes, ()),
    }
    generator = create_parts(parts, config.generator_optimizer, key_generator)
    return State(generator, create_judges(config, key_discriminator), generator.variables)


def encode(
    config: Config, variables: Variables, domain: str, images: Images, mode: Mode = EVALUATION
) -> tuple[Points, Variables]:
    """E(x) of images of a domain, and the variables after the pass."""
    hidden, variables = apply(config.encoder, variables, images, (), mode=mode.stream(OWN), part=f"encoder_{domain}")
    return apply(config.shared_encoder, variables, hidden, (), mode=mode.stream(OTHER), part="shared_encoder")


def decode(
    config: Config, variables: Variables, domain: str, codes: Points, mode: Mode = EVALUATION
) -> tuple[Images, Variables]:
    """G(h), images of a domain in the value range, and the variables after the pass."""
    hidden, variables = apply(
        config.shared_decoder, variables, codes, (), mode=mode.stream(OTHER), part="shared_decoder"
    )
    inputs = hidden, config.image_shape
    outputs, variables = apply(config.decoder, variables, *inputs, mode=mode.stream(OWN), part=f"decoder_{domain}")
    return squash(outputs, config.value_range), variables


def noised(codes: Both, mode: Mode, stream: int) -> Both:
    """h + eps for both domains."""
    noise = normal_of_both(Both(codes.a.shape[1:], codes.b.shape[1:]), mode, stream)
    return Both(codes.a + noise.a, codes.b + noise.b)


def translated(config: Config, variables: Variables, images: Both, mode: Mode) -> Both:
    """x_a and x_b: images of a made of those of b, and the reverse."""
    codes, variables = of_both(partial(encode, config), variables, images, mode, FIRST)
    codes = exchanged(noised(codes, mode, FIRST_NOISE))
    return of_both(partial(decode, config), variables, codes, mode, FORTH)[0]


def squared(codes: Both) -> Scalar:
    """E h^2 of both domains, summed: 0 for codes of 0 alone."""
    return jnp.stack([(each**2).mean() for each in codes]).sum()


def generator_loss(config: Config, variables: Variables, opponent: Variables, images: Both, mode: Mode) -> LossOutput:
    """Equation 1."""
    into, out_of = partial(encode, config), partial(decode, config)
    codes, variables = of_both(into, variables, images, mode, FIRST)
    noisy = noised(codes, mode, FIRST_NOISE)
    same, variables = of_both(out_of, variables, noisy, mode, SAME)
    fakes, variables = of_both(out_of, variables, exchanged(noisy), mode, FORTH)
    again, variables = of_both(into, variables, fakes, mode, AGAIN)
    back, variables = of_both(out_of, variables, exchanged(noised(again, mode, AGAIN_NOISE)), mode, BACK)
    adversarial = generators_value(config, opponent, images, fakes, mode)
    reconstruction, cycle = distance(same, images), distance(back, images)
    squares, cycle_squares = squared(codes), squared(again)
    loss = config.adversarial_weight * adversarial
    loss += config.reconstruction_weight * reconstruction + config.kl_weight * squares
    loss += config.cycle_weight * cycle + config.cycle_kl_weight * cycle_squares
    metrics = {"generator_loss": adversarial, "reconstruction": reconstruction, "squared_codes": squares}
    return loss, (metrics | {"cycle": cycle, "squared_cycle_codes": cycle_squares}, variables)


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
    """G_a(E_b(b)), in the value range, by the moving average; the keys play no part."""
    codes, _ = encode(config, state.ema, B, images)
    return decode(config, state.ema, A, codes)[0]


def to_b(config: Config, state: State, keys: Keys, images: Images) -> Images:
    """G_b(E_a(a)), in the value range, by the moving average; the keys play no part."""
    codes, _ = encode(config, state.ema, A, images)
    return decode(config, state.ema, B, codes)[0]


def sample(config: Config, state: State, key: Keys, num: int, condition: Images | None = None) -> Images:
    """G_b(E_a(a)) of each of `num` images, `condition`, in the value range; the key plays no part."""
    return to_b(config, state, key, require_condition(condition))
