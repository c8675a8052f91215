"""Networks of TP-GAN: their sizes, what joins what, and what they refuse.

Parameters are those of the authors' code, layer by layer, but for the biases of convolutions before a batch norm, which
are left out here: 17,944 of the global pathway with a local one of 64 channels, 5,632 of the local one, 3,456 of the
discriminator with a map of 4x4. That of 2x2 is of this package.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.mode import Mode
from jaxgen.nets.tp_gan import CoarseDiscriminator, GlobalPathway, IdentityHead, LocalPathway
from tests.nets.parameters import count, zeros

TINY = GlobalPathway(8, 4, (3, 1), norm="none")
INPUTS = jnp.zeros((1, 16, 32, 1)), jnp.zeros((1, 3)), jnp.zeros((1, 16, 32, 2)), (16, 32, 1)


@pytest.mark.parametrize(("code", "wanted"), [(256, 88_618_490 - 17_944)])
def test_the_global_pathway_has_the_weights_of_the_authors_code(code, wanted):
    inputs = zeros(128, 128, 3), zeros(100), zeros(128, 128, 67), (128, 128, 3)
    assert count(GlobalPathway(code=code), *inputs) == wanted


@pytest.mark.parametrize(("height", "width"), [(40, 40), (32, 40), (32, 48)])
def test_the_local_pathway_has_the_weights_of_the_authors_code(height, width):
    assert count(LocalPathway(), zeros(height, width, 3), (height, width, 3)) == 17_199_043 - 5_632


@pytest.mark.parametrize(("side", "wanted"), [(4, 13_357_441 - 3_456), (2, 15_714_305)])
def test_the_discriminator_has_the_weights_of_the_authors_code_and_a_map_of_its_side(side, wanted):
    net = CoarseDiscriminator(side=side)
    assert count(net, zeros(128, 128, 3), ()) == wanted
    outputs = jax.eval_shape(lambda: net.init_with_output(jax.random.key(0), zeros(128, 128, 3), ())[0])
    assert outputs.shape == (1, side, side)


@pytest.fixture(scope="module")
def weights():
    """Drawn without a program of all layers; outputs are about as large as inputs."""
    shapes = jax.eval_shape(lambda: TINY.init(jax.random.key(0), *INPUTS))
    generator = np.random.default_rng(0)

    def drawn(leaf):
        return jnp.asarray(generator.normal(0.0, 1 / math.sqrt(math.prod(leaf.shape[:-1])), leaf.shape), jnp.float32)

    return jax.tree.map(drawn, shapes)


def test_outputs_are_of_three_sizes_and_a_code(weights):
    outputs = TINY.apply(weights, *INPUTS)
    assert [each.shape for each in outputs.images] == [(1, 16, 32, 1), (1, 8, 16, 1), (1, 4, 8, 1)]
    assert outputs.code.shape == (1, 4)


def test_a_code_is_the_larger_of_two_numbers_and_does_not_depend_on_noise_or_parts(weights):
    """Each bias of the pair is moved far up in turn: the code follows the one that is."""
    images = jax.random.normal(jax.random.key(1), (1, 16, 32, 1))
    code = jax.jit(lambda weights, noise, parts: TINY.apply(weights, images, noise, parts, (16, 32, 1)).code)
    plain = code(weights, INPUTS[1], INPUTS[2])
    np.testing.assert_array_equal(plain, code(weights, INPUTS[1] + 1.0, INPUTS[2] + 1.0))
    for place in range(2):
        bias = weights["params"]["Dense_0"]["bias"].at[place].add(100.0)
        params = weights["params"] | {"Dense_0": weights["params"]["Dense_0"] | {"bias": bias}}
        moved = code(weights | {"params": params}, INPUTS[1], INPUTS[2]) - plain
        assert float(moved[0, 0]) > 90 and not np.abs(moved[0, 1:]).any()


def test_noise_and_parts_reach_the_image_and_parts_the_largest_alone(weights):
    """Weights of a normal distribution of 0.02 leave little of the noise: its slope is looked at."""

    def slopes(which):
        def total(value, place):
            inputs = [*INPUTS]
            inputs[which] = value
            return TINY.apply(weights, *inputs).images[place].sum()

        value = INPUTS[which] + 0.1
        return [bool(np.abs(jax.grad(total)(value, place)).max() > 0) for place in range(3)]

    assert slopes(1) == [True, True, True]
    assert slopes(2) == [True, False, False]


def test_the_mirror_image_is_seen_everywhere(weights):
    """A pixel in one corner moves the image at the opposite one more than most pixels do: by more than their mean."""

    def corner(images):
        return TINY.apply(weights, images, *INPUTS[1:]).images[0][0, 0, -1, 0]

    slope = jax.grad(corner)(jax.random.normal(jax.random.key(1), (1, 16, 32, 1)))
    assert abs(float(slope[0, 0, 0, 0])) > float(np.abs(slope).mean())


def test_the_head_drops_out_in_training_alone():
    head, codes = IdentityHead(), jnp.ones((3, 8))
    weights = head.init(jax.random.key(0), codes, (2,))
    plain = head.apply(weights, codes, (2,))
    dropped = head.apply(weights, codes, (2,), mode=Mode(jax.random.split(jax.random.key(1), 3), train=True))
    assert plain.shape == (3, 2) and np.ptp(plain, axis=0).max() < 1e-6 and np.ptp(dropped, axis=0).max() > 1e-3


@pytest.mark.parametrize(
    ("net", "inputs", "message"),
    [
        (TINY, (zeros(12, 16, 1), zeros(3), zeros(12, 16, 2), (12, 16, 1)), "of sides that halve 4 times"),
        (TINY, (zeros(16, 16, 1), zeros(3), zeros(16, 16, 2), (8, 8, 1)), "must be 16x16 as the inputs are"),
        (TINY, (zeros(16, 16, 1), zeros(3), zeros(8, 8, 2), (16, 16, 1)), r"sides of the parts is \(8, 8\)"),
        (GlobalPathway(4), (zeros(16, 16, 1), zeros(3), zeros(16, 16, 2), (16, 16, 1)), "channels is 4"),
        (LocalPathway(2), (zeros(12, 8, 1), (12, 8, 1)), "of sides that halve 3 times"),
        (LocalPathway(2), (zeros(8, 8, 1), (16, 8, 1)), "must be 8x8 as the inputs are"),
        (LocalPathway(0), (zeros(8, 8, 1), (8, 8, 1)), r"channels, downs is \(0, 3\)"),
        (CoarseDiscriminator(2), (zeros(16, 16, 1), (1,)), r"must be \(\): the map of scores"),
        (CoarseDiscriminator(2), (zeros(4, 4, 1), ()), r"shorter side is 4, but must be 2 times 4, 8, 16"),
        (CoarseDiscriminator(2), (zeros(24, 24, 1), ()), "shorter side is 24"),
        (CoarseDiscriminator(2, 0), (zeros(16, 16, 1), ()), r"channels, side is \(2, 0\)"),
        (IdentityHead(), (zeros(3), ()), r"output_shape is \(\), but must be \(classes,\)"),
    ],
)
def test_other_shapes_and_settings_are_refused(net, inputs, message):
    with pytest.raises(ValueError, match=message):
        net.init(jax.random.key(0), *inputs)
