import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.dit import BASE, EXTRA_LARGE, LARGE, SMALL, AdaptiveBlock, AdaptiveNorm, DiT, places
from jaxgen.nets.unet.condition import Condition
from jaxgen.nets.unet.embeddings import Sinusoid
from tests.nets.parameters import zeros
from tests.nets.unet.networks import CLASSES, DENOISERS, IMAGES, TIMES, fields, init, parameters

NET = DENOISERS["dit"]
TOKENS = jax.random.normal(jax.random.key(0), (2, 5, 8))
VECTORS = jax.random.normal(jax.random.key(1), (2, 8))


@pytest.mark.parametrize(
    ("net", "counts"),
    [
        (SMALL, (32_865_056, 32_920_448, 33_142_016)),
        (BASE, (130_315_808, 130_426_496, 130_869_248)),
        (LARGE, (457_840_672, 457_988_224, 458_578_432)),
        (EXTRA_LARGE, (674_834_720, 675_000_704, 675_664_640)),
    ],
    ids=["S", "B", "L", "XL"],
)
def test_parameter_counts_are_those_of_the_authors_code(net, counts):
    """For latents of 32x32x4, a mean and a variance each, with 1,000 classes and a row for no class."""
    shapes = (32, 32, 4), zeros(1001), (32, 32, 8)
    assert tuple(parameters(net.clone(patch=patch), *shapes) for patch in (2, 4, 8)) == counts


def test_settings_are_those_of_the_largest():
    wanted = {"width": 1152, "blocks": 28, "heads": 16, "patch": 2, "dtype": "float32", "remat": False}
    assert fields(EXTRA_LARGE) == wanted | {"features": Sinusoid(endpoint=False, cosines_first=True)}
    sizes = [(net.width, net.blocks, net.heads, net.patch) for net in (SMALL, BASE, LARGE)]
    assert sizes == [(384, 12, 6, 2), (768, 12, 12, 2), (1024, 24, 16, 2)]


def test_a_fresh_network_is_zero_and_its_blocks_change_nothing():
    outputs, variables = NET.init_with_output(jax.random.key(0), IMAGES, TIMES, CLASSES, (8, 4, 2))
    assert outputs.shape == IMAGES.shape and not outputs.any()
    hidden, _ = AdaptiveBlock(2).init_with_output(jax.random.key(0), TOKENS, VECTORS)
    np.testing.assert_array_equal(hidden, TOKENS)
    kernels = {path: leaf for path, leaf in leaves(variables) if path.endswith("kernel")}
    zero = {path for path, leaf in kernels.items() if not leaf.any()}
    assert zero == {"block_0/told/kernel", "told/kernel", "outputs/kernel"}


def leaves(variables):
    found = jax.tree_util.tree_leaves_with_path(variables["params"])
    return [(jax.tree_util.keystr(path, simple=True, separator="/"), leaf) for path, leaf in found]


def test_weights_begin_as_in_the_authors_code():
    """Xavier's uniform distribution, that of Q, K and V as one matrix; deviations of .02 for time and classes."""
    net = DiT(64, 1, 2, patch=2)
    params = jax.jit(lambda: net.init(jax.random.key(0), IMAGES, TIMES, jnp.eye(100)[:3], (8, 4, 2)))()["params"]
    block, time = params["block_0"], params["time"]
    for kernel, fan in (
        (block["queries_keys_values"]["kernel"], 64 + 192),
        (block["outputs"]["kernel"], 128),
        (block["dense_0"]["kernel"], 320),
        (block["dense_1"]["kernel"], 320),
        (params["inputs"]["kernel"], 8 + 64),
    ):
        limit = np.sqrt(6 / fan)
        assert 0.98 * limit < np.abs(kernel).max() <= limit
    for part in ("Dense_0", "Dense_1", "classes"):
        assert np.std(time[part]["kernel"]) == pytest.approx(0.02, rel=0.03)


def test_the_column_comes_first_in_the_places_and_sines_before_cosines():
    found = places(3, 5, 12)
    assert found.shape == (15, 12) and found.dtype == np.float32
    row, column = 2, 4
    frequencies = np.array([1.0, 10_000 ** (-1 / 3), 10_000 ** (-2 / 3)])
    wanted = [wave(place * frequencies) for place in (column, row) for wave in (np.sin, np.cos)]
    np.testing.assert_allclose(found[row * 5 + column], np.concatenate(wanted), atol=1e-6)


def test_a_block_is_equation_1_written_out():
    block = AdaptiveBlock(2)
    variables = init(block, TOKENS, VECTORS)
    params = jax.tree.map(np.float64, variables["params"])

    def dense(inputs, name):
        return inputs @ params[name]["kernel"] + params[name]["bias"]

    def norm(tokens):
        centred = tokens - tokens.mean(-1, keepdims=True)
        return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-6)

    def softmax(logits):
        weights = np.exp(logits - logits.max(-1, keepdims=True))
        return weights / weights.sum(-1, keepdims=True)

    def gelu(inputs):
        return inputs / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (inputs + 0.044715 * inputs**3)))

    tokens = np.float64(TOKENS)
    b_1, s_1, g_1, b_2, s_2, g_2 = (part[:, None] for part in np.split(dense(np.float64(VECTORS), "told"), 6, axis=1))
    of_all = dense((1 + s_1) * norm(tokens) + b_1, "queries_keys_values")
    queries, keys, values = (part.reshape(2, 5, 2, 4).swapaxes(1, 2) for part in np.split(of_all, 3, axis=2))
    attended = softmax(queries @ keys.swapaxes(2, 3) / 2) @ values
    hidden = tokens + g_1 * dense(attended.swapaxes(1, 2).reshape(2, 5, 8), "outputs")
    wanted = hidden + g_2 * dense(gelu(dense((1 + s_2) * norm(hidden) + b_2, "dense_0")), "dense_1")
    np.testing.assert_allclose(block.apply(variables, TOKENS, VECTORS), wanted, atol=1e-5)


def test_without_places_tokens_are_a_set():
    block, order = AdaptiveBlock(2), np.array([3, 1, 4, 0, 2])
    variables = init(block, TOKENS, VECTORS)
    moved = block.apply(variables, TOKENS[:, order], VECTORS)
    np.testing.assert_allclose(moved, block.apply(variables, TOKENS, VECTORS)[:, order], atol=1e-5)


def test_a_patch_knows_its_place():
    """Exchanged patches do not give exchanged outputs."""
    variables = init(NET, IMAGES, TIMES, None, (8, 4, 2))
    denoise = jax.jit(lambda images: NET.apply(variables, images, TIMES, None, (8, 4, 2)))
    flipped = jnp.roll(IMAGES, 2, axis=1)
    assert np.abs(denoise(flipped) - jnp.roll(denoise(IMAGES), 2, axis=1)).max() > 0.01


def test_norms_are_told_their_scale_and_offset():
    told = AdaptiveNorm().apply({}, TOKENS, jnp.full((2, 8), 0.5), jnp.full((2, 8), 2.0))
    plain = AdaptiveNorm().apply({}, TOKENS, jnp.zeros((2, 8)), jnp.zeros((2, 8)))
    np.testing.assert_allclose(told, 3 * plain + 0.5, atol=1e-5)
    np.testing.assert_allclose(plain.var(2), 1.0, atol=1e-4)


def test_blocks_computed_again_give_the_same_gradients():
    variables = init(NET, IMAGES, TIMES, CLASSES, (8, 4, 2))

    def loss(net):
        return lambda variables: (net.apply(variables, IMAGES, TIMES, CLASSES, (8, 4, 2)) ** 2).mean()

    plain, again = (jax.jit(jax.grad(loss(net)))(variables) for net in (NET, NET.clone(remat=True)))
    program = str(jax.make_jaxpr(loss(NET.clone(remat=True)))(variables))
    assert program.count("remat2") + program.count("checkpoint[") == NET.blocks
    jax.tree.map(lambda one, other: np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6), plain, again)


@pytest.mark.parametrize(
    ("net", "shape", "message"),
    [
        (NET, (7, 4, 2), r"patch is 2, but must be 1 or more, and a divisor of the sides \(7, 4\) of images"),
        (NET.clone(width=12, heads=8), (8, 4, 2), "width is 12, but must be a multiple of 4 and of 8 heads"),
        (NET.clone(width=6, heads=2), (8, 4, 2), "width is 6, but must be a multiple of 4 and of 2 heads"),
        (NET.clone(blocks=0), (8, 4, 2), "blocks is 0, but must be at least 1"),
        (NET.clone(patch=0), (8, 4, 2), "patch is 0, but must be 1 or more"),
    ],
)
def test_what_does_not_fit_is_refused(net, shape, message):
    with pytest.raises(ValueError, match=message):
        parameters(net, shape)


def test_outputs_of_another_size_and_a_told_augmentation_are_refused():
    with pytest.raises(ValueError, match=r"output_shape is \(4, 4, 2\)"):
        parameters(NET, (8, 4, 2), None, (4, 4, 2))
    with pytest.raises(ValueError, match="this network is not told how an image was augmented"):
        parameters(NET, (8, 4, 2), Condition(None, zeros(9)))


def test_it_is_a_module_of_values():
    assert isinstance(hash(NET), int) and DiT(8, 1, 2) == NET and isinstance(NET, nn.Module)
