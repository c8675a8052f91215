"""Networks of VQ-VAE-2: counts of the code that they follow, layers written out, what the lower prior sees."""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from jaxgen.nets.grid import GridDecoder
from jaxgen.nets.pixelcnn import PixelCNN
from jaxgen.nets.vq_vae_2 import BottomEncoder, Features, GivenTop, TopEncoder, TwoGridDecoder
from tests.nets.parameters import count, moved, zeros
from tests.nets.test_grid import conv, stack, transposed


def test_parameter_counts_are_those_of_the_code_for_256x256():
    """1,388,867 together, of sums of k k i o + o; codebooks are not among them."""
    features, top, bottom = zeros(64, 64, 128), zeros(32, 32, 64), zeros(64, 64, 64)
    found = [
        count(Features(), zeros(256, 256, 3), (64, 64, 128)),
        count(TopEncoder(), features, (32, 32, 64)),
        count(BottomEncoder(), features, top, (64, 64, 64)),
        count(TwoGridDecoder(), bottom, top, (256, 256, 3)),
    ]
    assert found == [364_160, 295_488, 299_584, 429_635] and sum(found) == 1_388_867


def fresh(net, *inputs):
    """Its outputs, and params all of which are at work."""
    variables = moved(jax.jit(lambda: net.init(jax.random.key(0), *inputs))())
    return jax.jit(lambda *arrays: net.apply(variables, *arrays, inputs[-1]))(*inputs[:-1]), variables["params"]


def test_the_features_are_written_out():
    images = jax.random.normal(jax.random.key(1), (2, 8, 8, 3))
    found, params = fresh(Features(1, 3), images, (2, 2, 4))
    hidden = nn.relu(conv(images, params["Conv_0"], 2))
    assert hidden.shape == (2, 4, 4, 2)  # half as many maps
    hidden = conv(nn.relu(conv(hidden, params["Conv_1"], 2)), params["Conv_2"])
    np.testing.assert_allclose(found, stack(hidden, params["ResidualStack_0"]), atol=1e-4)


def test_the_upper_grids_encodings_are_a_layer_of_features_of_the_features():
    inner = Features(1, 3)
    images = jax.random.normal(jax.random.key(1), (2, 4, 4, 6))
    found, params = fresh(TopEncoder(inner), images, (2, 2, 5))
    hidden = inner.apply({"params": params["features"]}, images, (2, 2, 6))
    np.testing.assert_allclose(found, conv(hidden, params["Conv_0"]), atol=1e-4)


def test_the_lower_grids_encodings_see_the_upper_grid_decoded():
    inner = GridDecoder(4, 1, 3)
    features, top = (jax.random.normal(jax.random.key(i), shape) for i, shape in ((1, (2, 4, 4, 6)), (2, (2, 2, 2, 5))))
    found, params = fresh(BottomEncoder(inner), features, top, (4, 4, 5))
    decoded = inner.apply({"params": params["decoder"]}, top, (4, 4, 5))
    np.testing.assert_allclose(found, conv(jnp.concatenate([decoded, features], 3), params["Conv_0"]), atol=1e-4)


def test_the_image_is_decoded_from_both_the_upper_grid_enlarged_by_a_layer():
    inner = GridDecoder(4, 1, 3)
    bottom, top = (jax.random.normal(jax.random.key(i), shape) for i, shape in ((1, (2, 4, 4, 5)), (2, (2, 2, 2, 5))))
    found, params = fresh(TwoGridDecoder(inner), bottom, top, (8, 8, 3))
    enlarged = transposed(top, params["ConvTranspose_0"])
    wanted = inner.apply({"params": params["decoder"]}, jnp.concatenate([enlarged, bottom], 3), (8, 8, 3))
    np.testing.assert_allclose(found, wanted, atol=1e-4)


NUM = 5


@functools.cache
def prior():
    net = GivenTop(PixelCNN(4, 2), residual_blocks=1)
    codes = jnp.zeros((1, 4, 2), jnp.int32), jnp.zeros((1, 2, 1), jnp.int32)
    variables = moved(jax.jit(lambda: net.init(jax.random.key(0), *codes, (4, 2, NUM)))())
    return jax.jit(lambda codes, top: net.apply(variables, codes, top, (4, 2, NUM)))


def test_every_logit_sees_the_upper_code_over_it_and_the_lower_codes_before_it_alone():
    codes = jax.random.randint(jax.random.key(1), (1, 4, 2), 0, NUM)
    top = jax.random.randint(jax.random.key(2), (1, 2, 1), 0, NUM)
    logits = np.asarray(prior()(codes, top)).reshape(8, NUM)
    for j in range(8):
        changed = (codes.reshape(-1).at[j].add(1) % NUM).reshape(codes.shape)
        felt = (np.asarray(prior()(changed, top)).reshape(8, NUM) != logits).any(axis=1)
        assert not felt[: j + 1].any()
    for j in range(2):
        changed = top.at[0, j, 0].add(1) % NUM
        felt = (np.asarray(prior()(codes, changed)).reshape(8, NUM) != logits).any(axis=1)
        assert felt[4 * j : 4 * j + 4].all()


def test_a_pixelcnns_condition_is_a_layer_of_maps_in_each_of_its_layers():
    net, codes = PixelCNN(4, 2), jax.random.randint(jax.random.key(1), (2, 3, 4), 0, NUM)
    told = moved(jax.jit(lambda: net.init(jax.random.key(0), codes, (3, 4, NUM), condition=jnp.zeros((2, 3, 4, 3))))())
    plain = jax.eval_shape(lambda: net.init(jax.random.key(0), codes, (3, 4, NUM)))
    more = sum(leaf.size for leaf in jax.tree.leaves(told)) - sum(leaf.size for leaf in jax.tree.leaves(plain))
    assert more == 2 * (3 * 16 + 16)
    one, other = (
        jax.jit(lambda maps: net.apply(told, codes, (3, 4, NUM), condition=maps))(maps)
        for maps in (jnp.zeros((2, 3, 4, 3)), jnp.ones((2, 3, 4, 3)))
    )
    assert (np.asarray(one) != np.asarray(other)).any(axis=3).all()
