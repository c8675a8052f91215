import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.autoencoders.adaptive_weight import MOST, Adversarial, adaptive_weight, at, last_weights, replaced
from jaxgen.mode import Mode

WEIGHTS = jax.random.normal(jax.random.key(0), (3, 5))
INPUTS = jax.random.normal(jax.random.key(1), (4, 3))


def decode(weights):
    return INPUTS @ weights


def squares(images):
    return (images**2).sum(1).mean()


def total(images):
    return -images.sum(1).mean()


def test_the_weight_is_the_ratio_of_the_lengths_of_both_gradients():
    """By hand: with y = x w the gradient is the mean of x dL/dy."""
    x, w = np.asarray(INPUTS), np.asarray(WEIGHTS)
    wanted = np.linalg.norm(x.T @ (2 * x @ w) / 4) / (np.linalg.norm(x.T @ np.ones((4, 5)) / 4) + 1e-4)
    found = adaptive_weight(decode, WEIGHTS, (squares, total))
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_it_is_bounded_where_the_discriminator_has_no_gradient_and_has_none_itself():
    assert (
        adaptive_weight(decode, WEIGHTS, (lambda images: 1e3 * squares(images), lambda images: 0 * total(images)))
        == MOST
    )
    slope = jax.grad(lambda weights: adaptive_weight(decode, weights, (squares, total)))(WEIGHTS)
    assert not slope.any()


def test_shares_of_a_batch_give_the_weight_of_the_whole():
    def of_share(inputs):
        return adaptive_weight(lambda weights: inputs @ weights, WEIGHTS, (squares, total), "shares")

    found = jax.vmap(of_share, axis_name="shares")(INPUTS.reshape(2, 2, 3))
    np.testing.assert_allclose(found, adaptive_weight(decode, WEIGHTS, (squares, total)), rtol=1e-5)


def test_the_last_weights_are_those_of_the_outermost_layer_called_outputs():
    inner, leaf = {"outputs": {"kernel": jnp.zeros(1)}}, jnp.ones(2)
    tree = {"attention": inner, "outputs": {"kernel": leaf, "bias": leaf}}
    path = last_weights(tree)
    assert path == ("outputs", "kernel")
    assert at(tree, path) is leaf
    assert (at(replaced(tree, path, 2 * leaf), path) == 2).all() and tree["outputs"]["kernel"] is leaf
    with pytest.raises(ValueError, match="the decoder has no layer called 'outputs'"):
        last_weights({"last": {"kernel": leaf}})


def test_the_game_begins_at_its_step():
    settings = Adversarial(begin=3)
    assert [float(settings.begun(Mode(step=jnp.int32(step)))) for step in (2, 3)] == [0.0, 1.0]
    with pytest.raises(ValueError, match="begin is -1, but must be at least 0"):
        Adversarial(begin=-1)
