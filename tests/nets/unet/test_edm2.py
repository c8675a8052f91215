import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.magnitude_preserving import mp_silu, mp_sum, normalize
from jaxgen.nets.unet.edm2 import EDM2Block, EDM2Style, EDM2UNet
from tests.exhaustive import first
from tests.nets.parameters import zeros
from tests.nets.unet.networks import CLASSES, DENOISERS, IMAGES, TIMES, init, names, parameters

NET = DENOISERS["edm2"]

IMG512 = {64: 31_309_029, 128: 124_713_253, 192: 280_212_837, 256: 497_807_781, 320: 777_498_085}
IMG512 |= {384: 1_119_283_749, 448: 1_523_164_773}
"""By width, of latents 64x64x4 and 1,000 classes; 128 of them are the uncertainty head's, which is not part of F."""


@pytest.mark.parametrize("channels", first(2, IMG512))
def test_parameter_counts_are_those_of_the_authors_code(channels):
    assert parameters(EDM2UNet(channels), (64, 64, 4), zeros(1_000)) == IMG512[channels] - 128


def test_the_parameter_count_for_64x64_images():
    assert parameters(EDM2UNet(192), (64, 64, 3), zeros(1_000)) == 280_209_381 - 128


def test_a_fresh_network_gives_zeros():
    outputs, variables = jax.jit(
        lambda: NET.clone(multipliers=(1,), attention=()).init_with_output(
            jax.random.key(0), IMAGES, TIMES, CLASSES, (8, 4, 2)
        )
    )()
    assert not outputs.any()
    gains = [leaf for leaf in jax.tree.leaves(variables) if leaf.ndim == 0]
    assert len(gains) == 6 and not any(gains), "of five blocks and the outputs"


def test_no_layer_has_a_bias_and_the_scale_of_each_kernel_has_no_effect():
    variables = init(NET, IMAGES, TIMES, CLASSES, (8, 4, 2))

    def scaled(path, leaf):
        number = sum(map(ord, jax.tree_util.keystr(path)))
        scales = np.exp(np.cos(np.arange(leaf.shape[-1] if leaf.ndim else 1) + number)).astype(np.float32)
        return leaf * scales.reshape(*[1] * (leaf.ndim - 1), -1) if leaf.ndim else leaf

    kinds = {path[-1].key for path, _ in jax.tree_util.tree_leaves_with_path(variables)}
    assert kinds == {"kernel", "gain"}
    other = jax.tree_util.tree_map_with_path(scaled, variables)
    denoise = jax.jit(lambda variables: NET.apply(variables, IMAGES, TIMES, CLASSES, (8, 4, 2)))
    np.testing.assert_allclose(denoise(other), denoise(variables), rtol=0.02, atol=0.02)
    assert np.abs(denoise(variables)).max() > 0.1


def test_heights_with_attention_and_the_middle_attend():
    def attending(attention):
        shapes = jax.eval_shape(
            lambda: NET.clone(attention=attention).init(jax.random.key(0), IMAGES, TIMES, None, (8, 4, 2))
        )
        return {name for name, tree in shapes["params"].items() if isinstance(tree, dict) and "attended" in tree}

    assert attending(()) == {"middle_0"}
    assert attending((8,)) == {"middle_0", "down_0_0", "up_0_0", "up_0_1"}
    assert attending((4,)) == {"middle_0", "down_1_0", "up_1_0", "up_1_1"}


@pytest.mark.parametrize("down", [True, False])
def test_activations_keep_their_magnitude(down):
    """Of maps and of an embedding of mean square 1, at a gain of 0 and of 1, with attention."""
    block = EDM2Block(64, EDM2Style(16), down=down, attends=True)
    generator = np.random.default_rng(0)
    maps, told = (jnp.asarray(generator.normal(size=shape), jnp.float32) for shape in ((4, 12, 12, 48), (4, 32)))
    shapes = jax.eval_shape(lambda: block.init(jax.random.key(0), maps, told))
    variables = jax.tree.map(lambda leaf: jnp.asarray(generator.normal(size=leaf.shape), jnp.float32), shapes)
    for gain in (0.0, 1.0):
        params = {**variables["params"], "gain": jnp.float32(gain)}
        outputs = jax.jit(lambda params: block.apply({"params": params}, maps, told))(params)
        assert float((outputs**2).mean()) == pytest.approx(1.0, abs=0.25)


def test_a_block_is_its_formula():
    """Of equal widths, on 1x1 maps, where a convolution is its middle, without attention."""
    block = EDM2Block(6, EDM2Style(limit=1.5))
    generator = np.random.default_rng(0)
    maps, told = (jnp.asarray(generator.normal(size=shape), jnp.float32) for shape in ((5, 1, 1, 6), (5, 3)))
    shapes = jax.eval_shape(lambda: block.init(jax.random.key(0), maps, told))
    variables = jax.tree.map(lambda leaf: jnp.asarray(generator.normal(size=leaf.shape), jnp.float32), shapes)
    params = variables["params"]

    def unit(kernel):
        return kernel / jnp.sqrt((kernel**2).sum(range(kernel.ndim - 1), keepdims=True))

    first, second = (unit(params[name]["kernel"])[1, 1] for name in ("conv_0", "conv_1"))
    x = normalize(maps[:, 0, 0], (1,))
    scale = 1 + params["gain"] * told @ unit(params["embedding"]["kernel"])
    wanted = mp_sum(x, mp_silu((mp_silu(x) @ first) * scale) @ second, 0.3).clip(-1.5, 1.5)
    found = block.apply(variables, maps, told)[:, 0, 0]
    np.testing.assert_allclose(found, wanted, atol=1e-3)
    assert np.abs(found).max() == 1.5


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"head_features": 3}, "head_features is 3, but must be a divisor of 16 channels"),
        ({"blocks": 0}, "blocks is 0"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        names(NET.clone(**settings), IMAGES, TIMES, None, (8, 4, 2))
