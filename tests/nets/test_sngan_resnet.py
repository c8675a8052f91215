"""SNGAN's residual networks: sizes, laws of the class, spectral normalisation, precision, what is refused."""

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.mode import Mode
from jaxgen.nets.initializers import Normal
from jaxgen.nets.projection import LinearDiscriminator, ProjectionDiscriminator
from jaxgen.nets.resnet import ResNetCritic, ResNetGenerator
from jaxgen.nets.sngan_resnet import (
    FEATURES_32,
    FEATURES_48,
    FEATURES_64,
    FEATURES_128,
    GENERATOR_32,
    GENERATOR_48,
    GENERATOR_64,
    GENERATOR_128,
    ConditionalResNetGenerator,
    ResNetFeatures,
)
from jaxgen.nets.spectral import Spectral
from tests.nets.adversaries import (
    CLASSES,
    LATENTS,
    TRAINING,
    begun,
    check_finite_and_reached,
    check_half_precision,
    check_remat,
    images,
    largest_singular_value,
    outputs,
    power_method,
    weights_inside,
)
from tests.nets.parameters import count, zeros

GENERATOR = ConditionalResNetGenerator((8, 8, 16, 8), attention=(16,), initializer=Normal(0.3))
FEATURES = ResNetFeatures((8, 8, 16), attention=(8,), initializer=Normal(0.3))
DISCRIMINATOR = ProjectionDiscriminator(FEATURES)
SHAPE, IMAGES = (32, 32, 3), images(32, 32)


def counts(channels, features, side, num_classes, *, last_bias=True):
    """Generator, generator with classes, discriminator, discriminator with classes."""
    shape, latents, classes = (side, side, 3), zeros(128), zeros(num_classes)
    return (
        count(ResNetGenerator(channels), latents, shape),
        count(ConditionalResNetGenerator(channels), latents, classes, shape),
        count(Spectral(LinearDiscriminator(features, last_bias)), zeros(*shape)),
        count(Spectral(ProjectionDiscriminator(features, last_bias)), zeros(*shape), classes),
    )


def test_parameter_counts_at_32_are_those_of_the_authors_code():
    found = counts(GENERATOR_32, FEATURES_32, 32, 10, last_bias=False)
    assert found == (4_276_739, 4_304_387, 1_053_824, 1_055_104)


@pytest.mark.exhaustive
def test_parameter_counts_at_128_are_those_of_the_authors_code():
    found = counts(GENERATOR_128, FEATURES_128, 128, 1000)
    assert found == (32_150_787, 41_996_931, 29_017_857, 30_041_857)


def layers(*sizes):
    """Parameters of layers with biases: (taps, inputs, outputs)."""
    return sum(taps * inputs * outputs + outputs for taps, inputs, outputs in sizes)


def residual(inputs, inner, outputs, *, shortcut=True):
    maps = layers((9, inputs, inner), (9, inner, outputs))
    return maps + (layers((1, inputs, outputs)) if shortcut else 0)


@pytest.mark.exhaustive
def test_parameter_counts_at_48_and_64_are_those_of_the_rule():
    """Block by block; a discriminator at 48 has the widths of that at 64, and its last block does not halve."""
    widths = (64, 128, 256, 512, 1024)
    discriminator = layers((9, 3, 64), (9, 64, 64), (1, 3, 64)) + layers((1, 1024, 1))
    discriminator += sum(residual(before, before, after) for before, after in pairwise(widths))
    for channels, features, side, places in (
        (GENERATOR_48, FEATURES_48, 48, 36),
        (GENERATOR_64, FEATURES_64, 64, 16),
    ):
        pairs = list(pairwise(channels))
        generator = layers((1, 128, places * channels[0]), (9, channels[-1], 3)) + 2 * channels[-1]
        generator += sum(residual(before, after, after) for before, after in pairs)
        norms = sum(before + after for before, after in pairs)
        wanted = generator + 2 * norms, generator + 20 * norms, discriminator, discriminator + 10 * 1024
        assert counts(channels, features, side, 10) == wanted


@pytest.mark.parametrize("shape", [(32, 32, 3), (48, 48, 1), (16, 24, 3)])
def test_networks_take_any_size_that_halves(shape):
    generator, variables = jax.eval_shape(
        lambda: GENERATOR.clone(attention=()).init_with_output(jax.random.key(0), LATENTS, CLASSES, shape)
    )
    assert generator.shape == (3, *shape) and "batch_stats" in variables
    scores = jax.eval_shape(
        lambda: DISCRIMINATOR.clone(features=FEATURES.clone(attention=())).init_with_output(
            jax.random.key(0), images(*shape), CLASSES
        )[0]
    )
    assert scores.shape == (3,)


@pytest.mark.exhaustive
def test_outputs_and_gradients_are_finite_and_reach_every_parameter():
    check_finite_and_reached(GENERATOR, LATENTS, CLASSES, SHAPE)
    check_finite_and_reached(Spectral(DISCRIMINATOR), IMAGES, CLASSES)


def test_features_without_classes_are_those_of_the_critic_with_a_sum():
    """`ResNetCritic(pool="sum")` of the same weights: two halvings, then blocks of that size."""
    critic, net = ResNetCritic(8, pool="sum"), LinearDiscriminator(ResNetFeatures((8,) * 4))
    variables = begun(critic, IMAGES)["params"]
    blocks = {name: value for name, value in variables.items() if "Block" in name}
    renamed = {"FirstBlock_0": blocks.pop("FirstBlock_0")}
    renamed |= {f"ResidualBlock_{i + 1}": blocks[f"ResidualBlock_{i}"] for i in range(3)}
    params = {"features": renamed, "Dense_0": variables["Dense_0"]}
    found = outputs(net, {"params": params}, IMAGES)
    np.testing.assert_allclose(found, outputs(critic, {"params": variables}, IMAGES), rtol=1e-4, atol=1e-4)


def test_without_attention_a_generator_is_that_of_the_critics_paper_of_the_same_weights():
    net, plain = ConditionalResNetGenerator((8, 8, 4)), ResNetGenerator((8, 8, 4))
    variables = begun(net, LATENTS, CLASSES, (8, 8, 3))
    wanted = jax.jit(lambda: plain.apply(variables, LATENTS, (8, 8, 3), condition=CLASSES))()
    found = outputs(net, variables, LATENTS, CLASSES, (8, 8, 3))
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)


def test_classes_begin_alike_and_then_change_images():
    net = ConditionalResNetGenerator((4, 4, 4))
    variables = jax.jit(lambda: net.init(jax.random.key(0), LATENTS, CLASSES, (8, 8, 1)))()
    other = jnp.roll(CLASSES, 1, axis=1)
    images = [outputs(net, variables, LATENTS, classes, (8, 8, 1)) for classes in (CLASSES, other)]
    np.testing.assert_array_equal(*images)
    table = jax.random.normal(jax.random.key(1), (3, 4))
    variables["params"]["ResidualBlock_1"]["ConditionalBatchNorm_1"]["scale"]["kernel"] = table
    images = [outputs(net, variables, LATENTS, classes, (8, 8, 1)) for classes in (CLASSES, other)]
    assert np.abs(images[0] - images[1]).max((1, 2, 3)).min() > 1e-3


def test_blocks_of_the_discriminator_are_as_wide_inside_as_their_inputs_or_as_their_outputs():
    for wide, wanted in ((False, 8), (True, 16)):
        net = ResNetFeatures((4, 8, 16, 16), halvings=2, wide=wide)
        shapes = jax.eval_shape(lambda net=net: net.init(jax.random.key(0), IMAGES))["params"]
        assert shapes["ResidualBlock_1"]["Conv_0"]["kernel"].shape == (3, 3, 4, 8 if wide else 4)
        assert shapes["ResidualBlock_2"]["Conv_0"]["kernel"].shape == (3, 3, 8, wanted)
        assert shapes["ResidualBlock_2"]["shortcut"]["kernel"].shape == (1, 1, 8, 16)
        assert "shortcut" not in shapes["ResidualBlock_3"]


def test_attention_stands_once_behind_the_block_that_gives_its_height():
    shapes = jax.eval_shape(lambda: GENERATOR.init(jax.random.key(0), LATENTS, CLASSES, SHAPE))["params"]
    assert shapes["SelfAttention_0"]["theta"]["kernel"].shape == (1, 1, 16, 2)
    deep = ResNetFeatures((8, 16, 16, 16), attention=(16, 8))
    shapes = jax.eval_shape(lambda: deep.init(jax.random.key(0), IMAGES))["params"]
    assert [shapes[f"SelfAttention_{i}"]["theta"]["kernel"].shape[2] for i in range(2)] == [8, 16]
    assert "SelfAttention_2" not in shapes


def test_spectral_normalisation_divides_each_weight_but_tables_of_classes():
    small = GENERATOR.clone(channels=(8, 8, 8), attention=(8,))
    net, inputs = Spectral(small, exempt=("scale", "offset")), (LATENTS, CLASSES, (8, 8, 3))
    first = begun(net, *inputs)
    weights = weights_inside(net, power_method(net, first, *inputs), *inputs)
    tables = {name for name in weights if "ConditionalBatchNorm" in name}
    assert len(tables) == 8 and len(weights) == 8 + 1 + 2 * 3 + 4 + 1
    for name, weight in weights.items():
        if name in tables:
            np.testing.assert_array_equal(weight, np.ones((3, weight.shape[1])) * name.endswith("scale/kernel"))
        else:
            assert largest_singular_value(weight) == pytest.approx(1, abs=0.02), name


def test_running_statistics_move_in_training_alone():
    net, inputs = ConditionalResNetGenerator((4, 4)), (LATENTS, CLASSES, (4, 4, 1))
    variables = begun(net, *inputs)
    for mode, moves in ((TRAINING, True), (Mode(), False)):
        _, changed = net.apply(variables, *inputs, mode=mode, mutable=["batch_stats"])
        old, new = (jax.tree.leaves(each["batch_stats"]) for each in (variables, changed))
        assert all(np.any(a != b) == moves for a, b in zip(old, new, strict=True))


@pytest.mark.exhaustive
def test_rematerialisation_and_half_precision_change_little():
    net = GENERATOR.clone(channels=(8, 8), attention=(4,))
    for check in (check_remat, check_half_precision):
        check(net, LATENTS, CLASSES, (4, 4, 3))
        check(FEATURES.clone(channels=(8, 8), halvings=1, attention=(4,)), images(8, 8))


@pytest.mark.parametrize(
    ("net", "inputs", "message"),
    [
        (GENERATOR, (LATENTS, CLASSES, (28, 32, 3)), r"\(28, 32, 3\), but must be of sides that halve 3 times"),
        (
            GENERATOR.clone(attention=(4,)),
            (LATENTS, CLASSES, SHAPE),
            r"attention is \(4,\), .* which are \(8, 16, 32\)",
        ),
        (GENERATOR.clone(channels=(8, 0)), (LATENTS, CLASSES, SHAPE), r"channels is \(8, 0\), but must be positive"),
        (GENERATOR.clone(channels=(4, 4, 12, 4)), (LATENTS, CLASSES, SHAPE), "channels of a map with attention is 12"),
        (FEATURES, (images(30, 32),), r"\(30, 32, 3\), but must be of sides that halve 2 times"),
        (FEATURES, (images(32, 30),), r"\(32, 30, 3\), but must be of sides that halve 2 times"),
        (FEATURES.clone(attention=(32,)), (IMAGES,), r"attention is \(32,\), .* which are \(16, 8\)"),
        (FEATURES.clone(channels=()), (IMAGES,), r"channels is \(\), but must be positive widths, one at least"),
        (FEATURES.clone(halvings=4), (IMAGES,), "halvings is 4, but must be from 1 to 3, the number of blocks"),
        (FEATURES.clone(halvings=0), (IMAGES,), "halvings is 0, but must be from 1 to 3, the number of blocks"),
    ],
)
def test_what_does_not_fit_is_refused(net, inputs, message):
    with pytest.raises(ValueError, match=message):
        jax.eval_shape(lambda: net.init(jax.random.key(0), *inputs))
