"""In-painting with partial convolutions: its losses by hand, what it sees, and the contract."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.mode import Mode
from jaxgen.nets.partial_convolution import PartialUNet
from jaxgen.nets.vgg16 import VGG16Maps
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.train_state import apply
from jaxgen.translation import partial_conv
from jaxgen.translation.masks import Masked, RandomBlocks, draw_masks
from tests import contract
from tests.gans.games import assert_close

TINY = partial_conv.Config(
    image_shape=(8, 8, 3),
    masks=RandomBlocks(2, 2, 4),
    generator=PartialUNet(channels=2, downs=2),
    features=VGG16Maps(channels=2, convolutions=(1, 1)),
    style_weight=12.0,
    generator_optimizer=Optimizer(1e-3, Adam()),
)
IMAGES = jax.random.uniform(jax.random.key(1), (4, 8, 8, 3), minval=-1.0)
MASK = draw_masks(TINY.masks, jax.random.key(2), 4, TINY.image_shape)
MODE = Mode(keys=jax.random.split(jax.random.key(3), 4), step=jnp.int32(0), train=True)


def before_batch_norm():
    """Biases that a batch norm takes out again: no window of these layers lies in a hole as a whole."""
    return tuple(f"['generator']['PartialConv_{number}']['bias']" for number in (1, 2))


class TestContract(contract.Suite):
    """With a style loss of the size of the others: its weight of 12 above multiplies what a sum is off by its order."""

    case = contract.Case(
        partial_conv,
        dataclasses.replace(TINY, style_weight=1.0),
        refused=("image_shape",),
        unreached=before_batch_norm(),
    )


@pytest.fixture(scope="module")
def state():
    return jax.jit(partial_conv.init, static_argnums=0)(TINY, jax.random.key(0))


def gram(maps):
    flat = np.asarray(maps, np.float64).reshape(len(maps), -1, maps.shape[3])
    return np.einsum("bpc,bpd->bcd", flat, flat) / maps[0].size


def test_the_loss_is_the_sum_of_five_terms(state):
    outputs, _ = partial_conv.generate(TINY, state.generator.variables, IMAGES, MASK, MODE)
    features = state.features.variables
    loss, (metrics, _) = partial_conv.generator_loss(TINY, state.generator.variables, features, IMAGES, MASK, MODE)
    filled = np.where(MASK > 0, IMAGES, outputs)
    valid, hole = (np.abs(part * np.asarray(outputs - IMAGES)).mean() for part in (MASK, 1 - MASK))
    wanted, *others = (apply(TINY.features, features, images, ())[0] for images in (IMAGES, outputs, jnp.array(filled)))
    perceptual = sum(np.abs(a - b).mean() for maps in others for a, b in zip(maps, wanted, strict=True))
    style = sum(np.abs(gram(a) - gram(b)).mean() for maps in others for a, b in zip(maps, wanted, strict=True))
    variation = sum(np.abs(np.diff(filled, axis=axis)).sum() for axis in (1, 2)) / filled.size
    found = [metrics[name] for name in ("valid", "hole", "perceptual", "style", "total_variation")]
    np.testing.assert_allclose(found, [valid, hole, perceptual, style, variation], rtol=1e-4)
    total = valid + 6 * hole + 0.05 * perceptual + 12 * style + 0.1 * variation
    np.testing.assert_allclose(loss, total, rtol=1e-4)
    np.testing.assert_allclose(loss, metrics["loss"])


def test_an_output_does_not_depend_on_the_hole(state):
    def filled(images):
        return partial_conv.generate(TINY, state.generator.variables, images, MASK)[0].sum()

    slope = np.asarray(jax.grad(filled)(IMAGES))
    hidden = np.broadcast_to(np.asarray(MASK) == 0, slope.shape)
    assert not slope[hidden].any() and np.abs(slope[~hidden]).max() > 0


def test_features_take_no_step(state):
    after, _ = jax.jit(partial_conv.update, static_argnums=0)(
        TINY, state, partial_conv.Inpainting(IMAGES), jax.random.key(0)
    )
    jax.tree.map(np.testing.assert_array_equal, after.features.variables, state.features.variables)


def test_a_sample_is_the_image_but_for_the_given_hole_or_one_of_its_own_key(state):
    keys = jax.random.split(jax.random.key(0), 4)
    filled = partial_conv.sample(TINY, state, keys, 4, Masked(IMAGES, MASK))
    outputs, _ = partial_conv.generate(TINY, state.ema, IMAGES, MASK)
    known = np.broadcast_to(np.asarray(MASK) > 0, filled.shape)
    np.testing.assert_array_equal(np.asarray(filled)[known], np.asarray(IMAGES)[known])
    assert_close(np.asarray(filled)[~known], np.asarray(outputs)[~known])
    own = draw_masks(TINY.masks, keys, 4, TINY.image_shape)
    assert_close(
        partial_conv.sample(TINY, state, keys, 4, IMAGES),
        partial_conv.sample(TINY, state, keys, 4, Masked(IMAGES, own)),
    )
    np.testing.assert_array_equal(partial_conv.holes(TINY, keys, IMAGES), own)
