"""UNIT: its losses by hand, its shared leaves, its noise, and the contract."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.batches import Unpaired
from jaxgen.mode import Mode
from jaxgen.nets.unit import ContentDecoder, ContentEncoder, MultiScaleDiscriminator, ResidualBlocks
from jaxgen.optimizers import SGD, Adam, Optimizer
from jaxgen.translation import unit
from jaxgen.translation.cycles import Both
from tests import contract
from tests.gans.games import assert_close

ADAM = Optimizer(1e-3, Adam(b1=0.5))
TINY = unit.Config(
    image_shape=(8, 8, 1),
    encoder=ContentEncoder(channels=2, downs=1, blocks=0),
    decoder=ContentDecoder(ups=1, blocks=0),
    discriminator=MultiScaleDiscriminator(channels=2, layers=1, scales=2),
    kl_weight=0.1,
    cycle_kl_weight=0.2,
    generator_optimizer=ADAM,
    discriminator_optimizer=ADAM,
)
IMAGES = Both(*(jax.random.uniform(jax.random.key(seed), (4, 8, 8, 1), minval=-1.0) for seed in (1, 2)))
MODE = Mode(keys=jax.random.split(jax.random.key(3), 4), step=jnp.int32(0), train=True)

PARTS = [f"encoder_{domain}" for domain in "ab"] + ["shared_encoder", "shared_decoder"]
BEFORE_NORMS = tuple(f"['generator']['{part}']['Conv_{number}']['bias']" for part in PARTS for number in (0, 1))
"""Biases that an instance norm takes out again."""


class TestContract(contract.Suite):
    case = contract.Case(
        unit,
        TINY,
        without_noise=True,
        unreached=BEFORE_NORMS,
        refused=("image_shape", "encoder.downs", "decoder.ups"),  # they must fit each other
        inert=("decoder.norm", "discriminator.norm"),  # of residual blocks, and of maps but the first: there are none
    )


@pytest.fixture(scope="module")
def state():
    return jax.jit(unit.init, static_argnums=0)(TINY, jax.random.key(0))


def test_squared_codes_are_zero_for_codes_of_zero_alone():
    zero = jnp.zeros((2, 3, 3, 2))
    assert unit.squared(Both(zero, zero)) == 0
    assert unit.squared(Both(zero, zero.at[0, 0, 0, 0].set(1e-3))) > 0
    np.testing.assert_allclose(unit.squared(Both(zero + 2.0, zero - 3.0)), 4.0 + 9.0)


def test_codes_in_training_are_those_of_evaluation_and_standard_normal_noise_of_each_key():
    codes = Both(jnp.zeros((4, 40, 40, 4)), jnp.ones((4, 40, 40, 4)))
    found = unit.noised(codes, MODE, 12)
    for noisy, mean in zip(found, (0.0, 1.0), strict=True):
        np.testing.assert_allclose([noisy.mean(), noisy.std()], [mean, 1.0], atol=0.02)
    assert not np.allclose(found.a, found.b - 1.0)
    one = unit.noised(Both(codes.a[1:2], codes.b[1:2]), MODE.with_keys(MODE.keys[1:2]), 12)
    np.testing.assert_array_equal(one.a, found.a[1:2])


def test_both_directions_go_through_the_shared_networks_without_noise(state):
    codes, _ = unit.encode(TINY, state.ema, "a", IMAGES.a)
    wanted, _ = unit.decode(TINY, state.ema, "b", codes)
    assert_close(unit.sample(TINY, state, jax.random.key(9), 4, IMAGES.a), wanted)
    codes, _ = unit.encode(TINY, state.ema, "b", IMAGES.b)
    wanted, _ = unit.decode(TINY, state.ema, "a", codes)
    assert_close(unit.to_a(TINY, state, jax.random.key(9), IMAGES.b), wanted)


def test_the_gradients_of_both_domains_add_in_the_shared_leaves(state):
    """Each domain reaches them, and no leaf of the other domain."""

    def loss(params, domains):
        variables, total = {"params": params}, 0.0
        for domain in domains:
            codes, _ = unit.encode(TINY, variables, domain, getattr(IMAGES, domain))
            total += (unit.decode(TINY, variables, domain, codes)[0] ** 2).mean()
        return total

    slope = jax.jit(jax.grad(loss), static_argnums=1)
    of_a, of_b, of_both = (slope(state.generator.params, domains) for domains in ("a", "b", "ab"))
    for part in ("shared_encoder", "shared_decoder"):
        kernels = [tree[part]["Conv_0"]["kernel"] for tree in (of_a, of_b, of_both)]
        assert jnp.abs(kernels[0]).max() > 0 and jnp.abs(kernels[1]).max() > 0
        np.testing.assert_allclose(kernels[2], kernels[0] + kernels[1], rtol=1e-4, atol=1e-7)
    assert not any(leaf.any() for leaf in jax.tree.leaves(of_a["encoder_b"]))


def test_shared_weights_stand_once_and_nothing_is_shared_without_blocks(state):
    num = sum(part.startswith("shared") for part in state.generator.params)
    assert num == 2 and len(state.generator.params) == 6
    alone = dataclasses.replace(TINY, shared_encoder=ResidualBlocks(0), shared_decoder=ResidualBlocks(0))
    params = jax.eval_shape(lambda: unit.init(alone, jax.random.key(0))).generator.params
    assert sorted(params) == ["decoder_a", "decoder_b", "encoder_a", "encoder_b"]


def test_published_networks_have_the_authors_size_of_each_domain():
    params = jax.eval_shape(lambda: unit.init(unit.Config(), jax.random.key(0))).generator.params
    size = {part: sum(leaf.size for leaf in jax.tree.leaves(tree)) for part, tree in params.items()}
    shared = size["shared_encoder"] + size["shared_decoder"]
    for domain in "ab":
        assert size[f"encoder_{domain}"] + size[f"decoder_{domain}"] + shared == 11_140_483


@pytest.mark.exhaustive
@pytest.mark.parametrize("rule", [SGD(0.9), Adam()], ids=lambda rule: type(rule).__name__)
def test_shared_weights_stay_tied_under_every_optimiser(state, rule):
    """A code of one map is decoded by one network: after steps the path of both domains holds the same leaves."""
    config = dataclasses.replace(TINY, generator_optimizer=Optimizer(1e-2, rule))
    now = jax.jit(unit.init, static_argnums=0)(config, jax.random.key(0))
    update = jax.jit(unit.update, static_argnums=0)
    for step in range(2):
        now, _ = update(config, now, Unpaired(*IMAGES), jax.random.key(step))
    assert sorted(now.generator.params) == sorted(state.generator.params)
    moved = now.generator.params["shared_encoder"]["Conv_0"]["kernel"]
    assert not np.allclose(moved, state.generator.params["shared_encoder"]["Conv_0"]["kernel"], atol=1e-6)


def test_the_discriminators_pay_for_squares_without_a_half_at_every_scale(state):
    fakes = Both(0.5 * IMAGES.b, -IMAGES.a)
    variables = state.discriminator.variables
    loss, _ = unit.discriminator_loss(TINY, variables, IMAGES, fakes, MODE)
    wanted = 0.0
    for part, real, fake in zip(Both._fields, IMAGES, fakes, strict=True):
        own = {"params": variables["params"][part]}
        scales = zip(TINY.discriminator.apply(own, real), TINY.discriminator.apply(own, fake), strict=True)
        wanted += sum(((one - 1.0) ** 2).mean() + (other**2).mean() for one, other in scales)
    np.testing.assert_allclose(loss, wanted, rtol=1e-5)


@pytest.mark.exhaustive
def test_the_loss_of_encoders_and_decoders_is_the_weighted_sum_of_its_terms(state):
    variables, opponent = state.generator.variables, state.discriminator.variables
    loss, (metrics, _) = jax.jit(lambda: unit.generator_loss(TINY, variables, opponent, IMAGES, MODE))()
    weights = {"generator_loss": 2.0, "reconstruction": 10.0, "squared_codes": 0.1, "cycle": 10.0}
    weights["squared_cycle_codes"] = 0.2
    np.testing.assert_allclose(loss, sum(weight * metrics[name] for name, weight in weights.items()), rtol=1e-5)
    codes = [unit.encode(TINY, variables, part, getattr(IMAGES, part))[0] for part in "ab"]
    np.testing.assert_allclose(metrics["squared_codes"], sum((each**2).mean() for each in codes), rtol=1e-4)
