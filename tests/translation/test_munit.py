"""MUNIT: its losses by hand, its swaps, its styles, and the contract."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.mode import Mode
from jaxgen.nets.munit import StyleDecoder, StyleEncoder
from jaxgen.nets.unit import ContentEncoder, MultiScaleDiscriminator
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.parallel import example_keys
from jaxgen.translation import munit
from jaxgen.translation.cycles import Both
from jaxgen.translation.munit import Codes
from tests import contract
from tests.gans.games import assert_close

ADAM = Optimizer(1e-3, Adam(b1=0.5))
TINY = munit.Config(
    image_shape=(8, 8, 1),
    style_dim=2,
    content_encoder=ContentEncoder(channels=2, downs=1, blocks=0),
    style_encoder=StyleEncoder(channels=2, downs=1),
    decoder=StyleDecoder(ups=1, blocks=1, features=(8,)),
    discriminator=MultiScaleDiscriminator(channels=2, layers=1, scales=1),
    cycle_weight=0.5,
    generator_optimizer=ADAM,
    discriminator_optimizer=ADAM,
)
IMAGES = Both(*(jax.random.uniform(jax.random.key(seed), (4, 8, 8, 1), minval=-1.0) for seed in (1, 2)))
MODE = Mode(keys=jax.random.split(jax.random.key(3), 4), step=jnp.int32(0), train=True)

BEFORE_NORMS = tuple(
    f"['generator']['{part}_{domain}']['Conv_{number}']['bias']"
    for part in ("content_encoder", "decoder")
    for domain in "ab"
    for number in (0, 1)
)
"""Biases that an instance norm takes out again, adaptive or not."""


class TestContract(contract.Suite):
    case = contract.Case(
        munit,
        TINY,
        unreached=BEFORE_NORMS,
        refused=("image_shape", "content_encoder.downs", "decoder.ups"),  # they must fit each other
        inert=("discriminator.norm",),  # of all maps but the first, the only one there is
    )


@pytest.fixture(scope="module")
def state():
    return jax.jit(munit.init, static_argnums=0)(TINY, jax.random.key(0))


def test_published_networks_have_the_authors_size_of_each_domain():
    params = jax.eval_shape(lambda: munit.init(munit.Config(), jax.random.key(0))).generator.params
    for domain in "ab":
        parts = [params[f"{name}_{domain}"] for name in ("content_encoder", "style_encoder", "decoder")]
        assert sum(leaf.size for leaf in jax.tree.leaves(parts)) == 15_026_187


def test_swapped_codes_have_the_content_of_the_other_domain_and_a_style_of_their_own():
    codes = Both(Codes(jnp.ones((1, 2, 2, 1)), jnp.ones((1, 2))), Codes(jnp.zeros((1, 2, 2, 1)), jnp.zeros((1, 2))))
    styles = Both(jnp.full((1, 2), 5.0), jnp.full((1, 2), 6.0))
    found = munit.swapped(codes, styles)
    assert found.a.content is codes.b.content and found.a.style is styles.a
    assert found.b.content is codes.a.content and found.b.style is styles.b
    own = Both(codes.a.style, codes.b.style)
    assert munit.swapped(munit.swapped(codes, styles), own) == codes  # twice swapped, the codes are their own


def test_the_loss_encodes_swaps_decodes_and_encodes_again(state):
    variables, opponent = state.generator.variables, state.discriminator.variables
    loss, (metrics, _) = jax.jit(lambda: munit.generator_loss(TINY, variables, opponent, IMAGES, MODE))()

    def encode(domain, images):
        return munit.encode(TINY, variables, domain, images)[0]

    def decode(domain, content, style):
        return munit.decode(TINY, variables, domain, Codes(content, style))[0]

    (content_a, style_a), (content_b, style_b) = encode("a", IMAGES.a), encode("b", IMAGES.b)
    drawn = munit.drawn(TINY, MODE)
    fake_a, fake_b = decode("a", content_b, drawn.a), decode("b", content_a, drawn.b)
    again_a, again_b = encode("a", fake_a), encode("b", fake_b)

    def far(one, other):
        return np.abs(np.asarray(one) - np.asarray(other)).mean()

    same = far(decode("a", content_a, style_a), IMAGES.a) + far(decode("b", content_b, style_b), IMAGES.b)
    style = far(again_a.style, drawn.a) + far(again_b.style, drawn.b)
    content = far(again_a.content, content_b) + far(again_b.content, content_a)
    back = far(decode("a", again_b.content, style_a), IMAGES.a) + far(decode("b", again_a.content, style_b), IMAGES.b)
    wanted = {"reconstruction": same, "style": style, "content": content, "cycle": back}
    for name, value in wanted.items():
        np.testing.assert_allclose(metrics[name], value, rtol=1e-4, err_msg=name)
    np.testing.assert_allclose(
        loss, 2.0 * metrics["generator_loss"] + 10.0 * same + style + content + 0.5 * back, rtol=1e-4
    )


def test_without_a_weight_the_cycle_costs_no_pass(state):
    config, variables = dataclasses.replace(TINY, cycle_weight=0.0), state.generator.variables
    opponent = state.discriminator.variables
    _, (metrics, _) = jax.eval_shape(lambda: munit.generator_loss(config, variables, opponent, IMAGES, MODE))
    assert "cycle" not in metrics


@pytest.mark.exhaustive
def test_gradients_flow_into_a_content_also_where_it_is_a_target(state):
    """As in the authors' code: those of the term of contents alone, with and without a target that is held."""
    others = ("adversarial_weight", "reconstruction_weight", "style_weight", "cycle_weight")
    config, opponent = dataclasses.replace(TINY, **dict.fromkeys(others, 0.0)), state.discriminator.variables
    drawn = munit.drawn(TINY, MODE)

    def by_hand(params, hold):
        (content_a, _), (content_b, _) = (
            munit.encode(TINY, {"params": params}, part, getattr(IMAGES, part))[0] for part in "ab"
        )
        fake_a, _ = munit.decode(TINY, {"params": params}, "a", Codes(content_b, drawn.a))
        fake_b, _ = munit.decode(TINY, {"params": params}, "b", Codes(content_a, drawn.b))
        again = [munit.encode(TINY, {"params": params}, *each)[0].content for each in (("a", fake_a), ("b", fake_b))]
        return jnp.abs(again[0] - hold(content_b)).mean() + jnp.abs(again[1] - hold(content_a)).mean()

    def loss(params):
        return munit.generator_loss(config, {"params": params}, opponent, IMAGES, MODE)[0]

    params = state.generator.params
    found = jax.jit(jax.grad(loss))(params)["content_encoder_a"]["Conv_0"]["kernel"]
    free, held = (
        jax.jit(jax.grad(lambda params, hold=hold: by_hand(params, hold)))(params)["content_encoder_a"]["Conv_0"][
            "kernel"
        ]
        for hold in (lambda content: content, jax.lax.stop_gradient)
    )
    np.testing.assert_allclose(found, free, rtol=1e-3, atol=1e-6)
    assert not np.allclose(found, held, rtol=1e-2, atol=1e-5)


def test_a_style_is_drawn_from_the_key_of_each_image(state):
    keys = example_keys(jax.random.key(5), 4)
    for function, own, other, images in ((munit.to_b, "a", "b", IMAGES.a), (munit.to_a, "b", "a", IMAGES.b)):
        styles = jnp.stack([jax.random.normal(key, (2,)) for key in keys])
        content = munit.encode(TINY, state.ema, own, images)[0].content
        wanted, _ = munit.decode(TINY, state.ema, other, Codes(content, styles))
        found = function(TINY, state, keys, images)
        assert_close(found, wanted)
        assert_close(found, function(TINY, state, jax.random.key(5), images))
        assert_close(function(TINY, state, keys[1:3], images[1:3]), found[1:3])
    assert not np.allclose(
        munit.sample(TINY, state, keys[::-1], 4, IMAGES.a), munit.sample(TINY, state, keys, 4, IMAGES.a)
    )
    with pytest.raises(ValueError, match="condition is None, but must be images of domain a"):
        munit.sample(TINY, state, keys, 4)


def test_the_discriminators_pay_for_squares_without_a_half_in_both_domains(state):
    fakes = Both(0.5 * IMAGES.b, -IMAGES.a)
    variables = state.discriminator.variables
    loss, (metrics, _) = munit.discriminator_loss(TINY, variables, IMAGES, fakes, MODE)
    wanted = 0.0
    for part, real, fake in zip(Both._fields, IMAGES, fakes, strict=True):
        (of_real,), (of_fake,) = (
            TINY.discriminator.apply({"params": variables["params"][part]}, one) for one in (real, fake)
        )
        wanted += ((of_real - 1.0) ** 2).mean() + (of_fake**2).mean()
    np.testing.assert_allclose(loss, wanted, rtol=1e-5)
    assert metrics["discriminator_loss"] == loss
