"""BigGAN-deep: sizes, what its shortcuts keep, what its norms are told, precision, what is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.biggan import MULTIPLIERS_32, MULTIPLIERS_64, MULTIPLIERS_256
from jaxgen.nets.biggan_deep import (
    DISCRIMINATOR_32,
    DISCRIMINATOR_64,
    DISCRIMINATOR_128,
    BigGANDeepFeatures,
    BigGANDeepGenerator,
    DiscriminatorBlock,
    GeneratorBlock,
)
from jaxgen.nets.convolution import conv, mean_pool, upsample_nearest
from jaxgen.nets.initializers import Normal
from jaxgen.nets.projection import ProjectionDiscriminator
from jaxgen.nets.spectral import Spectral
from tests.nets.adversaries import (
    CLASSES,
    LATENTS,
    begun,
    check_finite_and_reached,
    check_half_precision,
    check_remat,
    images,
    outputs,
)
from tests.nets.parameters import count, zeros

GENERATOR = BigGANDeepGenerator(8, (2, 1), attention=(8,), embedding=4, initializer=Normal(0.3))
INPUTS = (LATENTS, CLASSES, (8, 8, 3))
FEATURES = BigGANDeepFeatures(8, (1, 2, 2), halvings=1, attention=(4,), initializer=Normal(0.3))
MAPS = images(4, 6, 8)


def shapes(net, *inputs):
    return jax.eval_shape(lambda: net.init_with_output(jax.random.key(0), *inputs))


def without_last(variables):
    """The last layer of a block gives zeros."""
    params = variables["params"]
    return variables | {"params": params | {"widen": jax.tree.map(jnp.zeros_like, params["widen"])}}


@pytest.mark.exhaustive
def test_parameter_counts_are_those_that_the_test_of_compare_gan_asserts():
    generator = Spectral(BigGANDeepGenerator(), exempt=("embedding",))
    assert count(generator, zeros(128), zeros(1000), (128, 128, 3)) == 50_244_484
    assert count(Spectral(DISCRIMINATOR_128), zeros(128, 128, 3), zeros(1000)) == 34_590_210


@pytest.mark.exhaustive
def test_networks_of_all_sizes_fit_their_images():
    for multipliers, side in ((MULTIPLIERS_32, 32), (MULTIPLIERS_64, 64), (MULTIPLIERS_256, 256)):
        net = BigGANDeepGenerator(4, multipliers, attention=())
        assert shapes(net, zeros(6), zeros(5), (side, side, 3))[0].shape == (1, side, side, 3)
    for net, side in ((DISCRIMINATOR_32, 32), (DISCRIMINATOR_64, 64)):
        assert shapes(net, zeros(side, side, 3), zeros(5))[0].shape == (1,)


@pytest.mark.parametrize("up", [False, True])
def test_without_its_last_layer_a_block_of_the_generator_keeps_its_first_channels(up):
    """So that channels that are dropped do not change the shortcut."""
    block = GeneratorBlock(4, up, Normal(0.3))
    variables = without_last(begun(block, MAPS, CLASSES))
    wanted = upsample_nearest(MAPS[..., :4]) if up else MAPS[..., :4]
    for maps in (MAPS, jnp.concatenate([MAPS[..., :4], MAPS[..., :3:-1]], axis=-1)):
        np.testing.assert_array_equal(outputs(block, variables, maps, CLASSES), wanted)


@pytest.mark.parametrize("down", [False, True])
def test_without_its_last_layer_a_block_of_the_discriminator_keeps_all_channels_and_makes_the_others(down):
    block = DiscriminatorBlock(12, down, Normal(0.3))
    variables = without_last(begun(block, MAPS))
    kept = mean_pool(MAPS) if down else MAPS
    found = outputs(block, variables, MAPS)
    np.testing.assert_allclose(found[..., :8], kept, atol=1e-6)
    shortcut = variables["params"]["shortcut"]
    wanted = conv(kept, shortcut["kernel"]) + shortcut["bias"][None, None, None]
    np.testing.assert_allclose(found[..., 8:], wanted, atol=1e-5)
    same = DiscriminatorBlock(8, down, Normal(0.3))
    variables = without_last(begun(same, MAPS))
    assert "shortcut" not in variables["params"]
    np.testing.assert_allclose(outputs(same, variables, MAPS), kept, atol=1e-6)


@pytest.mark.parametrize("up", [False, True])
def test_a_block_of_the_generator_is_its_formula(up):
    """Norms out of training, with running statistics of 0 and 1, are their gains and offsets."""
    block = GeneratorBlock(4, up, Normal(0.3))
    variables = begun(block, MAPS, CLASSES)
    params = variables["params"]
    enlarge, hidden = upsample_nearest if up else (lambda maps: maps), MAPS
    for number, name in enumerate(("narrow", "first", "second", "widen")):
        maps = params[f"ConditionalBatchNorm_{number}"]
        gain, offset = ((CLASSES @ maps[each]["kernel"])[:, None, None] for each in ("scale", "offset"))
        hidden = jax.nn.relu((1 + gain) * hidden / np.sqrt(1 + 1e-5) + offset)
        hidden = enlarge(hidden) if name == "first" else hidden
        hidden = conv(hidden, params[name]["kernel"]) + params[name]["bias"][None, None, None]
    assert params["first"]["kernel"].shape == (3, 3, 2, 2)
    np.testing.assert_allclose(
        outputs(block, variables, MAPS, CLASSES), hidden + enlarge(MAPS[..., :4]), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("down", [False, True])
def test_a_block_of_the_discriminator_is_its_formula(down):
    block = DiscriminatorBlock(8, down, Normal(0.3))
    variables = begun(block, MAPS)
    hidden, pool = MAPS, mean_pool if down else (lambda maps: maps)
    for name in ("narrow", "first", "second", "widen"):
        hidden = pool(jax.nn.relu(hidden)) if name == "widen" else jax.nn.relu(hidden)
        layer = variables["params"][name]
        hidden = conv(hidden, layer["kernel"]) + layer["bias"][None, None, None]
    np.testing.assert_allclose(outputs(block, variables, MAPS), hidden + pool(MAPS), rtol=1e-4, atol=1e-5)


def test_every_norm_of_the_generators_blocks_is_told_the_class_and_all_latents():
    """Their gains change with each coordinate: no row of their maps is missing, and none begins as zeros."""
    params = jax.jit(lambda: GENERATOR.init(jax.random.key(0), *INPUTS))()["params"]
    maps = [
        block[norm][each]["kernel"]
        for name, block in params.items()
        if name.startswith("block_")
        for norm in block
        if norm.startswith("ConditionalBatchNorm")
        for each in ("scale", "offset")
    ]
    assert len(maps) == 2 * 4 * 2
    for kernel in maps:
        assert kernel.shape[0] == 4 + 8 and np.abs(kernel).max(1).min() > 0
    assert params["Dense_0"]["kernel"].shape[0] == 4 + 8


def test_blocks_change_width_and_size_where_the_paper_says():
    """Of a stage, the generator's last block; the discriminator's first."""
    params = shapes(GENERATOR.clone(multipliers=(4, 2), blocks=3), *INPUTS)[1]["params"]
    widths = [params[f"block_0_{i}"]["widen"]["kernel"].shape[2:] for i in range(3)]
    assert widths == [(8, 32), (8, 32), (8, 16)]
    params = shapes(FEATURES.clone(blocks=3), images(8, 8))[1]["params"]
    assert ["shortcut" in params[f"block_0_{i}"] for i in range(3)] == [True, False, False]
    assert params["SelfAttention_0"]["theta"]["kernel"].shape == (1, 1, 16, 2)


@pytest.mark.exhaustive
def test_outputs_and_gradients_are_finite_and_reach_every_parameter():
    generator = GENERATOR.clone(multipliers=(2, 2, 1), blocks=1, attention=(16,))
    check_finite_and_reached(Spectral(generator, exempt=("embedding",)), LATENTS, CLASSES, (32, 32, 3))
    discriminator = ProjectionDiscriminator(FEATURES.clone(blocks=1, attention=(16,)))
    check_finite_and_reached(Spectral(discriminator), images(32, 32), CLASSES)


@pytest.mark.exhaustive
def test_rematerialisation_changes_nothing():
    check_remat(GENERATOR, *INPUTS)
    check_remat(FEATURES, images(8, 8))


@pytest.mark.exhaustive
def test_half_precision_is_close_to_single():
    check_half_precision(GENERATOR, *INPUTS)
    check_half_precision(FEATURES, images(8, 8))


@pytest.mark.parametrize(
    ("net", "inputs", "message"),
    [
        (GENERATOR, (LATENTS, CLASSES, (7, 8, 3)), r"\(7, 8, 3\), but must be of sides that halve 1 times"),
        (GENERATOR, (LATENTS, CLASSES, (16, 16, 3)), r"attention is \(8,\), .* which are \(16,\)"),
        (GENERATOR.clone(multipliers=(1, 2)), INPUTS, "features is 16, but must be at most the inputs' channels, 8"),
        (
            GENERATOR.clone(channels=6, multipliers=(1, 1)),
            INPUTS,
            "channels of a block is 6, but must be a multiple of 4",
        ),
        (GENERATOR.clone(blocks=0), INPUTS, "blocks is 0, but must be at least 1"),
        (GENERATOR.clone(embedding=0), INPUTS, "embedding is 0, but must be at least 1"),
        (FEATURES, (images(8, 7),), r"\(8, 7, 3\), but must be of sides that halve 1 times"),
        (FEATURES.clone(multipliers=(2, 1, 1)), (images(8, 8),), "features is 8, but must be at least .* channels, 16"),
        (FEATURES.clone(halvings=3), (images(8, 8),), "halvings is 3, but must be at most 2, the number of stages"),
        (FEATURES.clone(attention=(8,)), (images(8, 8),), r"attention is \(8,\), .* which are \(4,\)"),
        (FEATURES.clone(blocks=0), (images(8, 8),), "blocks is 0, but must be at least 1"),
    ],
)
def test_what_does_not_fit_is_refused(net, inputs, message):
    with pytest.raises(ValueError, match=message):
        shapes(net, *inputs)
