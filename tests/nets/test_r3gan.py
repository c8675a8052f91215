"""R3GAN's networks: sizes of the authors' code, how they begin, and what a fresh network is."""

import math
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.conditioning import InnerCondition
from jaxgen.nets.r3gan import InvertedBottleneck, R3GANDiscriminator, R3GANGenerator
from jaxgen.nets.resampling import downsample, upsample
from jaxgen.testing import leaves
from tests.exhaustive import exhaustive
from tests.nets.counts import counts

FFHQ64 = {"channels": (768,) * 4 + (384,), "groups": (96,) * 4 + (48,)}
FFHQ256 = {"channels": (768,) * 4 + (384, 192, 96), "groups": (96,) * 4 + (48, 24, 12)}
SMALL = {"channels": (8, 4), "groups": (2, 1), "blocks": 1}
CLASSES = jnp.eye(3)[jnp.array([0, 2, 2, 1])]
LATENTS = jax.random.normal(jax.random.key(0), (4, 5))
IMAGES = jax.random.normal(jax.random.key(1), (4, 8, 8, 2))


def size(net, *inputs):
    variables = jax.eval_shape(lambda: net.init(jax.random.key(0), *inputs))
    return sum(leaf.size for leaf in jax.tree.leaves(variables))


@pytest.mark.parametrize(
    ("side", "settings", "wanted"),
    [
        (32, {}, (20_732_160, 20_683_776)),
        (64, FFHQ64, (22_429_824, 22_381_440)),
        (256, FFHQ256, (23_057_952, 23_009_568)),
    ],
    ids=["CIFAR-10", "FFHQ-64", "FFHQ-256"],
)
def test_parameter_counts_without_classes_are_those_of_the_authors_code(side, settings, wanted):
    found = counts(R3GANGenerator(**settings), 64, R3GANDiscriminator(**settings), (side, side, 3))
    assert found == wanted


@pytest.mark.parametrize(
    ("side", "num_classes", "width", "wanted"),
    [
        (32, 10, 768, (20_781_952, 21_280_512)),
        *exhaustive([(32, 1000, 1536, (82_914_304, 86_548_992)), (64, 1000, 1536, (103_570_432, 107_205_120))]),
    ],
    ids=["CIFAR-10", "ImageNet-32", "ImageNet-64"],
)
def test_parameter_counts_with_classes_are_those_of_the_authors_code(side, num_classes, width, wanted):
    num = round(math.log2(side)) - 1
    settings = {"channels": (width,) * num, "groups": (96,) * num}
    classes, shape = jnp.zeros((2, num_classes)), (side, side, 3)
    generator = size(InnerCondition(R3GANGenerator(**settings)), jnp.zeros((2, 64)), classes, shape)
    discriminator = size(InnerCondition(R3GANDiscriminator(**settings)), jnp.zeros((2, *shape)), classes, ())
    assert (generator, discriminator) == wanted


@pytest.fixture(scope="module")
def fresh():
    """Both networks with classes, and their variables."""
    generator, discriminator = InnerCondition(R3GANGenerator(**SMALL)), InnerCondition(R3GANDiscriminator(**SMALL))
    inputs = (LATENTS, CLASSES, (8, 8, 2)), (IMAGES, CLASSES, ())
    keys = jax.random.split(jax.random.key(2))
    return [
        (net, jax.jit(lambda net=net, key=key, given=given: net.init(key, *given))())
        for net, key, given in zip((generator, discriminator), keys, inputs, strict=True)
    ]


def test_a_fresh_generator_is_linear_in_its_latents_and_the_embedding_of_the_class(fresh):
    net, variables = fresh[0]

    @jax.jit
    def images(latents, classes):
        return net.apply(variables, latents, classes, (8, 8, 2))

    other, mixed = LATENTS[::-1], CLASSES[::-1]
    found = images(2 * LATENTS - 3 * other, 2 * CLASSES - 3 * mixed)
    np.testing.assert_allclose(found, 2 * images(LATENTS, CLASSES) - 3 * images(other, mixed), atol=1e-4)
    assert np.abs(images(LATENTS, CLASSES) - images(LATENTS, mixed)).max() > 0.01  # the class counts


def test_a_fresh_discriminator_is_linear_in_the_image_and_a_product_with_the_class(fresh):
    net, variables = fresh[1]

    @jax.jit
    def scores(images, classes):
        return net.apply(variables, images, classes, ())

    other = IMAGES[::-1]
    wanted = 2 * scores(IMAGES, CLASSES) - 3 * scores(other, CLASSES)
    np.testing.assert_allclose(scores(2 * IMAGES - 3 * other, CLASSES), wanted, atol=1e-4)
    np.testing.assert_allclose(scores(IMAGES, 2 * CLASSES), 2 * scores(IMAGES, CLASSES), atol=1e-5)
    assert not scores(IMAGES, 0 * CLASSES).any()  # a projection, and nothing beside it


def test_a_block_by_hand():
    """x + W_3 a(W_2 a(W_1 x + b_1) + b_2), the 3x3 convolution in two groups."""
    block, inputs = InvertedBottleneck(2, 1.0), jax.random.normal(jax.random.key(3), (2, 4, 3, 4))
    variables = jax.tree.map(
        lambda leaf: jax.random.normal(jax.random.key(leaf.size), leaf.shape), block.init(jax.random.key(0), inputs)
    )
    params = [variables["params"][f"Conv_{number}"] for number in range(3)]
    assert [sorted(each) for each in params] == [["bias", "kernel"], ["bias", "kernel"], ["kernel"]]

    def activate(hidden):
        return np.where(hidden > 0, hidden, 0.2 * hidden)

    def convolve(images, kernel):
        padded, (_, height, width, _) = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0))), images.shape
        places = [(row, column) for row in range(3) for column in range(3)]
        shifted = [padded[:, row : row + height, column : column + width] for row, column in places]
        return sum(images @ kernel[place] for place, images in zip(places, shifted, strict=True))

    kernels, biases = ([np.asarray(each.get(name)) for each in params] for name in ("kernel", "bias"))
    hidden = activate(np.asarray(inputs) @ kernels[0][0, 0] + biases[0])
    halves = [convolve(hidden[..., 4 * n : 4 * n + 4], kernels[1][..., 4 * n : 4 * n + 4]) for n in range(2)]
    hidden = activate(np.concatenate(halves, axis=-1) + biases[1])
    found: Any = block.apply(variables, inputs)
    np.testing.assert_allclose(found, np.asarray(inputs) + hidden @ kernels[2][0, 0], rtol=1e-4, atol=1e-4)


def test_the_order_of_a_fresh_networks_layers_by_hand(fresh):
    """Basis times linear map, projection before doubling; halving before projection, then the weighted sum."""
    generator, discriminator = (variables["params"]["net"] for _, variables in fresh)
    latents = jnp.concatenate([LATENTS, CLASSES @ generator["embed"]["kernel"]], axis=1)
    hidden = generator["basis"][None] * (latents @ generator["Dense_0"]["kernel"])[:, None, None]
    hidden = upsample(hidden @ generator["Conv_0"]["kernel"][0, 0])
    found = fresh[0][0].apply(fresh[0][1], LATENTS, CLASSES, (8, 8, 2))
    np.testing.assert_allclose(found, hidden @ generator["Conv_1"]["kernel"][0, 0], atol=1e-4)

    hidden = downsample(IMAGES @ discriminator["Conv_0"]["kernel"][0, 0]) @ discriminator["Conv_1"]["kernel"][0, 0]
    hidden = (hidden * discriminator["basis"][None]).sum((1, 2)) @ discriminator["Dense_0"]["kernel"]
    found = fresh[1][0].apply(fresh[1][1], IMAGES, CLASSES, ())
    np.testing.assert_allclose(found, (hidden * (CLASSES @ discriminator["embed"]["kernel"])).sum(1), atol=1e-4)


def test_weights_begin_with_the_deviations_of_the_paper():
    """sqrt(2 / 1.04) L^(-1/4) / sqrt(inputs) inside a block, 1 / sqrt(inputs) elsewhere, 0 at the end of a block."""
    net = R3GANDiscriminator((64, 64), (4, 4), 2)
    params = jax.jit(lambda: net.init(jax.random.key(0), jnp.ones((1, 8, 8, 3)), condition=jnp.ones((1, 100))))()
    params = params["params"]
    gain = 1.3867504906 * 4 ** (-1 / 4)
    for number in range(4):
        block = params[f"InvertedBottleneck_{number}"]
        assert block["Conv_0"]["kernel"].std() == pytest.approx(gain / math.sqrt(64), rel=0.05)
        assert block["Conv_1"]["kernel"].shape == (3, 3, 32, 128)
        assert block["Conv_1"]["kernel"].std() == pytest.approx(gain / math.sqrt(9 * 32), rel=0.05)
        assert not block["Conv_2"]["kernel"].any() and not block["Conv_0"]["bias"].any()
    assert params["Conv_0"]["kernel"].std() == pytest.approx(1 / math.sqrt(3), rel=0.2)
    assert params["Dense_0"]["kernel"].std() == pytest.approx(1 / math.sqrt(64), rel=0.05)
    assert params["basis"].std() == pytest.approx(1 / 4, rel=0.1)
    assert params["embed"]["kernel"].std() == pytest.approx(1 / math.sqrt(100) / math.sqrt(64), rel=0.05)
    assert np.abs(params["embed"]["kernel"]).max() > 3.5 * params["embed"]["kernel"].std()  # normal, not truncated


@pytest.mark.parametrize(("num", "gain"), [(8, 0.8245667751), (14, 0.7169127749), (10, 0.7798271086)])
def test_the_gain_of_a_block_falls_with_their_number(num, gain):
    """L = 8 for 32x32, 14 for FFHQ-256, 10 for ImageNet-64."""
    found, maps = [], num // 2

    def record(call, args, kwargs, context):
        if isinstance(context.module, InvertedBottleneck):
            found.append(context.module.gain)
        return call(*args, **kwargs)

    net = R3GANGenerator((2,) * maps, (1,) * maps)
    with nn.intercept_methods(record):
        jax.eval_shape(lambda: net.init(jax.random.key(0), jnp.ones((1, 3)), (2 ** (maps + 1),) * 2 + (1,)))
    np.testing.assert_allclose(found, [gain] * num, rtol=1e-9)


def test_the_smallest_map_follows_from_the_image_and_the_number_of_widths():
    net = R3GANGenerator((4, 4, 4), (1, 1, 1), 1)
    for shape, smallest in (((28, 28, 1), (7, 7, 4)), ((16, 32, 1), (4, 8, 4))):
        params = jax.eval_shape(lambda shape=shape: net.init(jax.random.key(0), jnp.ones((1, 3)), shape))["params"]
        assert params["basis"].shape == smallest


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", [R3GANGenerator, R3GANDiscriminator])
def test_bfloat16_is_close_to_float32(kind):
    net = kind(**SMALL)
    given = (LATENTS, (8, 8, 2)) if kind is R3GANGenerator else (IMAGES, ())
    variables = jax.tree.map(
        lambda leaf: leaf + 0.1 * jax.random.normal(jax.random.key(leaf.size), leaf.shape),
        jax.jit(lambda: net.init(jax.random.key(0), *given))(),
    )
    single, half = (each.apply(variables, *given) for each in (net, net.clone(dtype="bfloat16")))
    assert half.dtype == jnp.float32 and {leaf.dtype for leaf in leaves(variables).values()} == {np.dtype("float32")}
    np.testing.assert_allclose(half, single, atol=0.05 * float(np.abs(single).max()))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"groups": (2,)}, r"groups is \(2,\), but must be as many as the 2 widths"),
        ({"groups": (3, 1)}, "feature_groups is 3, but must be a divisor of 16 channels"),
        ({"channels": (8, 0)}, r"channels is \(8, 0\), but must be one or more positive widths"),
        ({"blocks": 0}, "blocks is 0, but must be at least 1"),
    ],
)
@pytest.mark.parametrize("kind", [R3GANGenerator, R3GANDiscriminator])
def test_settings_out_of_range_are_refused(kind, changes, message):
    net = kind(**(SMALL | changes))
    given = (LATENTS, (8, 8, 2)) if kind is R3GANGenerator else (IMAGES, ())
    with pytest.raises(ValueError, match=message):
        jax.eval_shape(lambda: net.init(jax.random.key(0), *given))


def test_a_discriminator_with_a_class_gives_one_score():
    net = R3GANDiscriminator(**SMALL)
    with pytest.raises(ValueError, match=r"output_shape is \(2,\), but must be \(\) where there is a class"):
        jax.eval_shape(lambda: net.init(jax.random.key(0), IMAGES, (2,), condition=CLASSES))
    with pytest.raises(ValueError, match="embedding is 0, but must be at least 1"):
        jax.eval_shape(lambda: R3GANGenerator(**SMALL, embedding=0).init(jax.random.key(0), LATENTS, (8, 8, 2)))
