import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.mode import Mode
from jaxgen.nets.text.context import Context
from jaxgen.nets.unet.cross_attention import STABLE_DIFFUSION, CrossAttentionUNet
from tests.nets.parameters import count, moved, zeros

NET = CrossAttentionUNet(8, (1, 2), 1, attention=(2,), heads=2, dropout=0.5)
IMAGES, TIMES = jax.random.normal(jax.random.key(0), (3, 4, 2, 1)), jnp.array([0.0, 3.0, 9.0])
CONTEXT = Context(jax.random.normal(jax.random.key(1), (3, 4, 3)), jnp.arange(4)[None] < jnp.array([[2], [4], [1]]))
FRESH = jax.jit(lambda: NET.init(jax.random.key(2), IMAGES, TIMES, CONTEXT, (4, 2, 1)))()
VARIABLES = moved(FRESH)
OF_CLASSES = CrossAttentionUNet(192, (1, 2, 3, 5), attention=(32, 16, 8), heads=1)


@jax.jit
def denoise(images, times, context, variables=VARIABLES) -> jax.Array:
    return NET.apply(variables, images, times, context, (4, 2, 1))  # pyright: ignore[reportReturnType]


@pytest.mark.parametrize(
    ("net", "shape", "width", "wanted"),
    [
        (STABLE_DIFFUSION, (64, 64, 4), 768, 859_520_964),
        pytest.param(STABLE_DIFFUSION, (64, 64, 4), 1280, 872_300_484, marks=pytest.mark.exhaustive),
        pytest.param(OF_CLASSES, (64, 64, 3), 512, 400_920_579, marks=pytest.mark.exhaustive),
        (CrossAttentionUNet(64, (1, 2), 1, attention=(8, 4)), (8, 8, 4), 128, 4_283_012),
    ],
)
def test_parameters_are_as_many_as_in_the_authors_networks(net, shape, width, wanted):
    """Stable Diffusion, the paper's model of text, of classes on ImageNet (each embedded as one token), a small one."""
    context = Context(zeros(5, width), jnp.ones((1, 5), bool))
    assert count(net, zeros(*shape), jnp.zeros(1), context, shape) == wanted


def test_a_fresh_network_does_not_know_the_text_and_a_trained_one_does():
    others = Context(-CONTEXT.values, CONTEXT.mask)
    fresh = [denoise(IMAGES, TIMES, context, FRESH) for context in (CONTEXT, others)]
    np.testing.assert_array_equal(*fresh)
    found, wanted = denoise(IMAGES, TIMES, others), denoise(IMAGES, TIMES, CONTEXT)
    assert jnp.abs(found - wanted).max((1, 2, 3)).min() > 1e-3


def test_masked_tokens_and_the_order_of_the_others_have_no_influence():
    order = jnp.array([3, 1, 0, 2])
    values = jnp.where(CONTEXT.mask[..., None], CONTEXT.values, 7.0)
    permuted = Context(values[:, order], CONTEXT.mask[:, order])
    np.testing.assert_allclose(denoise(IMAGES, TIMES, permuted), denoise(IMAGES, TIMES, CONTEXT), atol=1e-4)


def test_examples_are_denoised_by_themselves_each_with_its_time_and_its_text():
    order, outputs = jnp.array([2, 0, 1]), denoise(IMAGES, TIMES, CONTEXT)
    assert outputs.shape == IMAGES.shape and outputs.dtype == jnp.float32
    permuted = denoise(IMAGES[order], TIMES[order], Context(*(array[order] for array in CONTEXT)))
    np.testing.assert_allclose(permuted, outputs[order], atol=1e-4)


@pytest.mark.exhaustive
def test_blocks_computed_again_have_the_same_parameters_and_dropout_needs_keys():
    again = NET.clone(remat=True)
    shapes = jax.eval_shape(lambda: again.init(jax.random.key(2), IMAGES, TIMES, CONTEXT, (4, 2, 1)))
    assert jax.tree.map(jnp.shape, shapes) == jax.tree.map(jnp.shape, FRESH)
    with pytest.raises(ValueError, match="dropout draws random numbers in training, but this pass has no keys"):
        NET.apply(VARIABLES, IMAGES, TIMES, CONTEXT, (4, 2, 1), mode=Mode(train=True))
