import dataclasses

import jax
import numpy as np
import pytest

from jaxgen import parallel
from jaxgen.gans import unrolled_gan
from jaxgen.gans.objectives import Minimax
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import SGD, Adam, Optimizer
from jaxgen.priors import Normal
from tests import contract
from tests.gans.games import assert_close, compiled, count, stepped, training

TINY = unrolled_gan.Config(
    image_shape=(4, 4, 1),
    value_range=(-1.0, 1.0),
    prior=Normal(3),
    objective=Minimax(smoothing=0.1),
    generator=MLP((6,), norm="batch"),
    discriminator=MLP((4,), activation="tanh"),
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


REAL = jax.random.uniform(jax.random.key(1), (8, 4, 4, 1))


def by_hand(config, state, real, key):
    """G's variables and D's after an update, and G's loss: D's K steps at rate 0.5 written out."""
    mode, latents = training(parallel.pass_key(key), 8), config.prior.draw(key, 8)

    def discriminator_loss(variables, fake):
        return unrolled_gan.discriminator_loss(config, variables, real, fake, mode)

    def surrogate(variables):
        fake, variables = unrolled_gan.generate(config, variables, latents, mode=mode)
        ahead = state.discriminator.variables
        for _ in range(config.unrolled_steps):
            ahead, *_ = stepped(ahead, discriminator_loss, 0.5, fake)
        return -discriminator_loss(ahead, fake)[0], ({}, variables)

    generator, loss, _ = stepped(state.generator.variables, surrogate, 0.1)
    fake, _ = unrolled_gan.generate(config, state.generator.variables, latents, mode=mode)
    return generator, stepped(state.discriminator.variables, discriminator_loss, 0.5, fake)[0], loss


@pytest.mark.parametrize("num_steps", [0, pytest.param(1, marks=pytest.mark.exhaustive), 2])
def test_update_is_a_step_of_each_player_through_the_unrolled_steps_written_out(num_steps):
    """And the discriminator takes one ordinary step from where both began."""
    config = dataclasses.replace(
        TINY,
        unrolled_steps=num_steps,
        discriminator_optimizer=Optimizer(0.5, SGD()),
        generator_optimizer=Optimizer(0.1, SGD()),
    )
    state, key = TestContract.init(config), jax.random.key(3)
    found, metrics = compiled(unrolled_gan.update, config)(state, REAL, key)
    *wanted, loss = compiled(by_hand, config)(state, REAL, key)
    assert_close([found.generator.variables, found.discriminator.variables], wanted)
    assert metrics["generator_loss"] == pytest.approx(float(loss), rel=1e-5)
    assert np.isfinite(metrics["gradient_norm/generator"])


def test_toy_networks_have_the_papers_parameter_counts():
    state = jax.eval_shape(lambda: unrolled_gan.init(unrolled_gan.Config(), jax.random.key(0)))
    assert (count(state.generator.params), count(state.discriminator.params)) == (49_666, 17_025)


def test_steps_of_adam_that_have_no_slope_are_not_unrolled():
    with pytest.raises(ValueError, match=r"eps_root of D's Adam is 0\.0"):
        dataclasses.replace(TINY, discriminator_optimizer=Optimizer(1e-3, Adam()))
    assert (
        dataclasses.replace(TINY, discriminator_optimizer=Optimizer(1e-3, Adam()), unrolled_steps=0).unrolled_steps == 0
    )
    with pytest.raises(ValueError, match="unrolled_steps is -1"):
        dataclasses.replace(TINY, unrolled_steps=-1)
