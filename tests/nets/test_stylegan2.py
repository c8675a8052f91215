"""StyleGAN 2's networks: sizes of the authors' code, the order of their layers, what noise and styles do."""

import math
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.conditioning import InnerCondition
from jaxgen.nets.equalized import EqualizedConv
from jaxgen.nets.mapping import Mapping
from jaxgen.nets.minibatch_stddev import append_stddev
from jaxgen.nets.modulated import ModulatedConv
from jaxgen.nets.noise_maps import noise_map
from jaxgen.nets.resampling import downsample, upsample
from jaxgen.nets.stylegan2 import (
    StyledLayer,
    StyleGAN2Discriminator,
    StyleGAN2Synthesis,
    activate,
    clamped,
    map_sizes,
)

SHAPE = (8, 8, 2)
SYNTHESIS, DISCRIMINATOR = StyleGAN2Synthesis(24, 5), StyleGAN2Discriminator(24, 5, group=2, mapping_layers=1)
WS = jax.random.normal(jax.random.key(0), (4, 4, 6))
IMAGES = jax.random.normal(jax.random.key(1), (4, *SHAPE))
KEYS = jax.random.split(jax.random.key(2), 4)


def apply(net, *inputs, **options) -> Any:
    """The outputs alone, as arrays to the type checker."""
    return net.apply(*inputs, **options)


def size(net, *inputs):
    return sum(leaf.size for leaf in jax.tree.leaves(jax.eval_shape(lambda: net.init(jax.random.key(0), *inputs))))


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("side", "base", "most", "layers", "residual", "num_classes", "wanted"),
    [
        (1024, 32768, 512, 8, True, 0, (30_370_060, 29_012_513, 18)),
        (1024, 16384, 512, 8, True, 0, (24_900_764, 24_038_161, 18)),
        (256, 16384, 512, 8, True, 0, (24_767_458, 24_001_089, 14)),
        (256, 32768, 512, 8, True, 0, (30_034_338, 28_864_129, 14)),
        (32, 32768, 512, 2, False, 0, (19_947_539, 20_720_641, 8)),
        (32, 32768, 512, 2, False, 10, (20_215_315, 23_089_664, 8)),
        (32, 4096, 128, 2, True, 0, (2_284_307, 1_346_305, 8)),
        (64, 8192, 256, 2, True, 0, (6_813_336, 5_854_593, 10)),
    ],
)
def test_parameter_counts_are_those_of_the_authors_code(side, base, most, layers, residual, num_classes, wanted):
    shape, given = (side, side, 3), (jnp.zeros((1, num_classes)),) if num_classes else ()
    condition = InnerCondition if num_classes else lambda net: net
    synthesis, mapping = StyleGAN2Synthesis(base, most), condition(Mapping(layers, scaled_activation=True))
    num = synthesis.num_styles(shape)
    generator = size(mapping, jnp.zeros((1, 512)), *given, ()) + size(synthesis, jnp.zeros((1, num, 512)), shape)
    discriminator = condition(StyleGAN2Discriminator(base, most, residual=residual))
    assert (generator, size(discriminator, jnp.zeros((1, *shape)), *given, ()), num) == wanted


@pytest.fixture(scope="module")
def variables():
    """Of both networks, all params moved a little, so that biases and strengths are not 0."""
    fresh = jax.jit(
        lambda: (
            SYNTHESIS.init(jax.random.key(3), WS, SHAPE),
            DISCRIMINATOR.init(jax.random.key(4), IMAGES, (), condition=jnp.eye(4)),
            DISCRIMINATOR.init(jax.random.key(4), IMAGES),
        )
    )()
    return [
        (tree, jax.tree.map(lambda leaf: leaf + 0.1 * jnp.cos(jnp.arange(leaf.size)).reshape(leaf.shape), tree))
        for tree in fresh
    ]


@pytest.mark.exhaustive
def test_noise_has_no_effect_in_a_fresh_network_and_is_each_examples_own_in_training(variables):
    fresh, moved = variables[0]
    draw = jax.jit(lambda variables, mode: apply(SYNTHESIS, variables, WS, SHAPE, mode=mode))
    first, other = Mode(KEYS, train=True), Mode(KEYS[::-1], train=True)
    np.testing.assert_array_equal(draw(fresh, first), draw(fresh, other))
    np.testing.assert_allclose(draw(fresh, first), draw(fresh, EVALUATION), atol=1e-6)  # another program
    assert np.abs(draw(moved, first) - draw(moved, other)).max((1, 2, 3)).min() > 1e-3
    mixed = first.with_keys(jnp.concatenate([KEYS[:2], KEYS[:2]]))
    np.testing.assert_array_equal(draw(moved, first)[:2], draw(moved, mixed)[:2])


def test_a_styled_layer_by_hand():
    layer, mode = StyledLayer(3, 7, clamp=0.9), Mode(KEYS, train=True)
    variables: Any = layer.init(jax.random.key(5), IMAGES, WS[:, 0])
    params = variables["params"] | {"noise_strength": jnp.float32(0.5), "bias": jnp.array([0.3, 0.0, -0.2])}
    hidden = apply(ModulatedConv(3), {"params": params["ModulatedConv_0"]}, IMAGES, WS[:, 0])
    hidden = hidden + 0.5 * noise_map((8, 8), 4, 7, mode) + params["bias"][None, None, None]
    wanted = np.clip(math.sqrt(2) * np.where(hidden > 0, hidden, 0.2 * hidden), -0.9, 0.9)
    found = apply(layer, {"params": params}, IMAGES, WS[:, 0], mode)
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    assert (np.abs(found) == np.float32(0.9)).any()
    assert variables["params"]["noise_strength"] == 0.0 and not variables["params"]["bias"].any()


def test_the_synthesis_by_hand(variables):
    """Which style goes where; the image of a map is added to the doubled one before."""
    params = variables[0][1]["params"]
    assert params["constant"].shape == (4, 4, 5)

    def layer(number, hidden, w, width, up=False):
        own = {"params": params[f"StyledLayer_{number}"]}
        return apply(StyledLayer(width, number, up=up), own, hidden, w)

    def image(side, hidden, w):
        conv = ModulatedConv(2, 1, demodulate=False)
        return apply(conv, {"params": params[f"image_{side}"]}, hidden, w) + params[f"bias_{side}"][None, None, None]

    @jax.jit
    def by_hand():
        hidden = layer(0, jnp.tile(params["constant"][None], (4, 1, 1, 1)), WS[:, 0], 5)
        small = image(4, hidden, WS[:, 1])
        hidden = layer(1, hidden, WS[:, 1], 3, up=True)
        hidden = layer(2, hidden, WS[:, 2], 3)
        return upsample(small) + image(8, hidden, WS[:, 3])

    found = jax.jit(lambda: apply(SYNTHESIS, variables[0][1], WS, SHAPE))()
    np.testing.assert_allclose(found, by_hand(), atol=1e-4)


def test_the_numbers_of_the_styles_that_the_layers_take():
    """Of size 2^r, 2r - 5 and 2r - 4, and 2r - 3 for its image, which the next size's first layer takes too."""
    net, shape, taken = StyleGAN2Synthesis(16, 1), (16, 16, 1), []
    variables = jax.eval_shape(lambda: net.init(jax.random.key(0), jnp.zeros((1, 6, 1)), shape))
    variables = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), variables)

    def record(call, args, kwargs, context):
        if not isinstance(context.module, ModulatedConv):
            return call(*args, **kwargs)
        images, w = args
        taken.append((images.shape[1] * (1 + context.module.up), int(w[0, 0])))
        return jnp.zeros((1, *(side * (1 + context.module.up) for side in images.shape[1:3]), 1))

    with nn.intercept_methods(record):
        apply(net, variables, jnp.arange(6.0)[None, :, None], shape)
    assert taken == [(4, 0), (4, 1), (8, 1), (8, 2), (8, 3), (16, 3), (16, 4), (16, 5)]


@pytest.mark.parametrize("residual", [True, False])
def test_the_discriminator_by_hand(residual):
    net = DISCRIMINATOR.clone(residual=residual)
    params = jax.jit(lambda: net.init(jax.random.key(6), IMAGES))()["params"]
    params = jax.tree.map(lambda leaf: leaf + 0.1, params)

    def conv(number, hidden, features, *sizes, **options):
        layer = EqualizedConv(features, *sizes, gain=1.0, **options)
        return apply(layer, {"params": params[f"EqualizedConv_{number}"]}, hidden)

    def dense(number, hidden):
        layer = params[f"EqualizedDense_{number}"]
        return hidden @ layer["kernel"] / math.sqrt(len(layer["kernel"])) + layer["bias"][None]

    @jax.jit
    def by_hand():
        hidden = start = activate(conv(0, IMAGES, 3, 1))
        hidden = activate(conv(1, hidden, 3))
        taps = jnp.outer(jnp.array([1.0, 3.0, 3.0, 1.0]), jnp.array([1.0, 3.0, 3.0, 1.0])) / 64
        padded = jnp.pad(hidden, ((0, 0), (2, 2), (2, 2), (0, 0)))
        hidden = sum(taps[i, j] * padded[:, i : i + 9, j : j + 9] for i in range(4) for j in range(4))
        hidden = activate(conv(2, hidden, 5, strides=2, padding="VALID"))
        if residual:
            hidden = (hidden + conv(3, downsample(start), 5, 1, use_bias=False)) / math.sqrt(2)
        hidden = activate(conv(4 if residual else 3, append_stddev(hidden, 2), 5)).reshape(4, -1)
        return dense(1, activate(dense(0, hidden)))[:, 0]

    np.testing.assert_allclose(jax.jit(lambda: apply(net, {"params": params}, IMAGES))(), by_hand(), atol=1e-4)


def test_a_class_is_a_projection_on_its_mapped_vector(variables):
    params = variables[1][1]["params"]
    score = jax.jit(lambda params, classes: apply(DISCRIMINATOR, {"params": params}, IMAGES, (), condition=classes))
    mapped = apply(
        Mapping(1, 5, scaled_activation=True), {"params": params["Mapping_0"]}, jnp.zeros((4, 0)), condition=jnp.eye(4)
    )
    vectors = jax.jit(
        lambda: apply(
            DISCRIMINATOR,
            {"params": {name: tree for name, tree in params.items() if name != "Mapping_0"}},
            IMAGES,
            (5,),
        )
    )()
    np.testing.assert_allclose(score(params, jnp.eye(4)), (vectors * mapped).sum(1) / math.sqrt(5), atol=1e-4)
    with pytest.raises(ValueError, match=r"output_shape is \(2,\), but must be \(\) where there is a class"):
        jax.eval_shape(lambda: DISCRIMINATOR.init(jax.random.key(0), IMAGES, (2,), condition=jnp.eye(4)))


def test_examples_are_compared_in_groups_of_the_whole_batch_over_all_devices(variables):
    variables = variables[2][1]
    scores = jax.jit(lambda: apply(DISCRIMINATOR, variables, IMAGES))()

    def share(images):
        return apply(DISCRIMINATOR, variables, images, mode=Mode(axis_name="shares"))

    found = jax.jit(jax.vmap(share, axis_name="shares"))(IMAGES.reshape(2, 2, *SHAPE)).reshape(-1)
    np.testing.assert_allclose(found, scores, atol=1e-5)
    alone = DISCRIMINATOR.clone(group=0)
    fresh = jax.eval_shape(lambda: alone.init(jax.random.key(0), IMAGES))["params"]
    assert fresh["EqualizedConv_4"]["kernel"].shape == (3, 3, 5, 5)  # no channel more


def test_the_activation_keeps_the_second_moment():
    hidden = activate(jax.random.normal(jax.random.key(0), (1_000_000,)))
    assert float((hidden**2).mean()) == pytest.approx(1.04, rel=0.01)
    assert float(hidden.mean()) == pytest.approx(0.4513516708, rel=0.01)
    np.testing.assert_array_equal(clamped(jnp.array([-3.0, 1.0, 2.5]), 2.0), [-2.0, 1.0, 2.0])


def test_maps_halve_while_their_sides_are_even_and_stay_at_least_4():
    assert map_sizes((32, 32, 3)) == [(4, 4), (8, 8), (16, 16), (32, 32)]
    assert map_sizes((12, 8, 1)) == [(6, 4), (12, 8)]
    assert StyleGAN2Synthesis().num_styles((28, 28, 1)) == 6
    with pytest.raises(ValueError, match=r"image shape is \(3, 8, 1\), but must be of sides of at least 4"):
        map_sizes((3, 8, 1))


@pytest.mark.exhaustive
@pytest.mark.parametrize("clamp", [None, 256.0])
def test_bfloat16_is_close_to_float32(variables, clamp):
    options = {"dtype": "bfloat16", "clamp": clamp}
    single, half = (apply(net, variables[0][1], WS, SHAPE) for net in (SYNTHESIS, SYNTHESIS.clone(**options)))
    assert half.dtype == jnp.float32
    np.testing.assert_allclose(half, single, atol=0.05 * float(np.abs(single).max()))
    single, half = (apply(net, variables[2][1], IMAGES) for net in (DISCRIMINATOR, DISCRIMINATOR.clone(**options)))
    assert half.dtype == jnp.float32
    np.testing.assert_allclose(half, single, atol=0.05 * float(np.abs(single).max()))


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (StyleGAN2Synthesis(4, 5), "channel_base is 4, but must be at least 8, the side of the image"),
        (StyleGAN2Synthesis(24, 0), "channel_max is 0, but must be at least 1"),
        (StyleGAN2Discriminator(24, 5, group=-1), "group is -1, but must be at least 0"),
    ],
)
def test_settings_out_of_range_are_refused(net, message):
    inputs = (WS, SHAPE) if isinstance(net, StyleGAN2Synthesis) else (IMAGES,)
    with pytest.raises(ValueError, match=message):
        jax.eval_shape(lambda: net.init(jax.random.key(0), *inputs))
    with pytest.raises(ValueError, match=r"shape of the styles is \(4, 3, 6\), but must be \(4, 4, 6\)"):
        jax.eval_shape(lambda: SYNTHESIS.init(jax.random.key(0), WS[:, :3], SHAPE))
