import dataclasses
import functools

import chex
import jax
import numpy as np
import pytest

from jaxgen.gans import unrolled_gan
from jaxgen.gans.objectives import Minimax
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import SGD, Adam, Optimizer
from jaxgen.priors import Normal
from tests import contract

TINY = unrolled_gan.Config(
    image_shape=(4, 4, 1),
    value_range=(-1.0, 1.0),
    prior=Normal(3),
    objective=Minimax(smoothing=0.1),
    generator=MLP((8,), norm="batch"),
    discriminator=MLP((6,), activation="tanh"),
    unrolled_steps=2,
    generator_optimizer=Optimizer(1e-3, Adam(b1=0.5)),
    discriminator_optimizer=Optimizer(1e-3, Adam(b1=0.5, eps_root=1e-6)),
)


class TestContract(contract.Suite):
    case = contract.Case(
        unrolled_gan,
        TINY,
        unreached=(
            # A constant before batch normalisation is taken out by its mean.
            "['generator']['Dense_0']['bias']",
        ),
        # The slope of a tanh is that of no leaky ReLU.
        inert=("discriminator.negative_slope",),
    )


def parts(config):
    state = TestContract.init(config)
    real = jax.random.uniform(jax.random.key(1), (8, *config.image_shape))
    return state, real, unrolled_gan.draw_latents(config, jax.random.key(2), 8)


@pytest.mark.parametrize("num_steps", [0, 1, 2])
def test_generator_gradient_is_that_of_the_unrolled_steps_written_out(num_steps):
    rate = 0.5
    config = dataclasses.replace(
        TINY,
        unrolled_steps=num_steps,
        discriminator_optimizer=Optimizer(rate, SGD()),
        generator_optimizer=Optimizer(0.1, SGD()),
    )
    state, real, latents = parts(config)
    collections = state.generator.collections

    def explicit(params):
        fake, _ = unrolled_gan.generate(config, params, collections, latents, train=True)

        def loss(params):
            return unrolled_gan.discriminator_loss(config, params, {}, real, fake)[0]

        ahead = state.discriminator.params
        for _ in range(num_steps):
            ahead = jax.tree.map(lambda p, g: p - rate * g, ahead, jax.grad(loss)(ahead))
        return -loss(ahead)

    wanted = jax.grad(explicit)(state.generator.params)
    new, metrics = jax.jit(functools.partial(unrolled_gan.update, config))(state, real, jax.random.key(3))
    latents = unrolled_gan.draw_latents(config, jax.random.key(3), 8)
    wanted = jax.grad(explicit)(state.generator.params)
    moved = jax.tree.map(lambda p, g: p - 0.1 * g, state.generator.params, wanted)
    chex.assert_trees_all_close(new.generator.params, moved, atol=1e-6)
    assert metrics["generator_loss"] == pytest.approx(float(explicit(state.generator.params)), rel=1e-5)
    assert np.isfinite(metrics["gradient_norm/generator"])


def test_the_discriminator_takes_one_ordinary_step_from_where_both_began():
    config = contract.with_sgd(TINY, 0.1)
    state, real, _ = parts(config)
    new, _ = jax.jit(functools.partial(unrolled_gan.update, config))(state, real, jax.random.key(3))
    latents = unrolled_gan.draw_latents(config, jax.random.key(3), 8)
    generator = state.generator
    fake, _ = unrolled_gan.generate(config, generator.params, generator.collections, latents, train=True)
    grads = jax.grad(lambda p: unrolled_gan.discriminator_loss(config, p, {}, real, fake)[0])(
        state.discriminator.params
    )
    wanted = jax.tree.map(lambda p, g: p - 0.1 * g, state.discriminator.params, grads)
    chex.assert_trees_all_close(new.discriminator.params, wanted, atol=1e-6)


def test_toy_networks_have_the_papers_parameter_counts():
    state = jax.eval_shape(lambda: unrolled_gan.init(unrolled_gan.Config(), jax.random.key(0)))
    count = lambda tree: sum(leaf.size for leaf in jax.tree.leaves(tree))  # noqa: E731
    assert (count(state.generator.params), count(state.discriminator.params)) == (49_666, 17_025)


def test_steps_of_adam_that_have_no_slope_are_not_unrolled():
    with pytest.raises(ValueError, match=r"eps_root of the discriminator's Adam is 0\.0"):
        dataclasses.replace(TINY, discriminator_optimizer=Optimizer(1e-3, Adam()))
    assert (
        dataclasses.replace(TINY, discriminator_optimizer=Optimizer(1e-3, Adam()), unrolled_steps=0).unrolled_steps == 0
    )
    with pytest.raises(ValueError, match="unrolled_steps is -1"):
        dataclasses.replace(TINY, unrolled_steps=-1)
