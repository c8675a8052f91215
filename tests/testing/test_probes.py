import dataclasses

import flax.linen as nn
import jax
import jax.numpy as jnp
import pytest

from jaxgen.autoencoders import vae
from jaxgen.mode import EVALUATION, Mode
from jaxgen.testing.probes import AsksForKeys, arguments, conditions, kept_passes, operations, refuses
from tests.autoencoders.test_cvae import TINY as OF_CLASSES
from tests.text_to_image.test_gan_cls import TINY as OF_TEXTS


class Doubles(nn.Module):
    @nn.compact
    def __call__(self, x, *, mode=EVALUATION):
        return 2 * x


@dataclasses.dataclass
class Player:
    collections: dict


jax.tree_util.register_dataclass(Player, ["collections"], [])


def test_operations_that_reach_no_output_are_not_compared_and_constants_are():
    def program(with_idle, constant):
        def function(x):
            if with_idle:
                jnp.sin(x)
            return x + jnp.asarray(constant)

        return operations(jax.make_jaxpr(function)(jnp.zeros(3)))

    assert program(True, [1.0, 2.0, 3.0]) == program(False, [1.0, 2.0, 3.0])
    assert program(False, [1.0, 2.0, 3.0]) != program(False, [1.0, 2.0, 4.0])


def test_the_network_that_asks_wants_keys_and_a_step_in_training_alone():
    net, x = AsksForKeys(Doubles()), jnp.ones((2, 3))
    variables = net.init(jax.random.key(0), x)
    assert (net.apply(variables, x) == 2 * x).all()
    with pytest.raises(ValueError, match="keys"):
        net.apply(variables, x, mode=Mode(train=True, step=jnp.int32(0)))
    with pytest.raises(ValueError, match="has no step in training"):
        net.apply(variables, x, mode=Mode(train=True, keys=jax.random.split(jax.random.key(1), 2)))


def test_kept_passes_counts_them_and_keeps_the_first_key_of_the_last():
    net, x, keys = AsksForKeys(Doubles()), jnp.ones((2, 3)), jax.random.split(jax.random.key(1), 4)

    def update(player):
        for own in (keys[:2], keys[2:]):
            _, collections = net.apply(
                player.collections, x, mode=Mode(train=True, keys=own, step=jnp.int32(0)), mutable=True
            )
            player = Player(collections)
        return player

    program = jax.make_jaxpr(update)(Player(net.init(jax.random.key(0), x)))
    (kept,) = kept_passes(program, jax.eval_shape(update, Player(net.init(jax.random.key(0), x)))).values()
    assert kept == {"in_training": 2, "key": jax.random.key_data(keys[2]).tolist()}


def test_arguments_tells_which_have_defaults():
    (first, second) = arguments(lambda a, *, b=1: None)
    assert (first[0], first[2], second[0], second[2]) == ("a", False, "b", True)
    assert first[1] != second[1]


def test_conditions_are_what_a_model_is_given_when_it_samples():
    found = conditions(OF_TEXTS, 3)
    assert found.shape == (3, OF_TEXTS.caption_length) and found.dtype == jnp.uint8
    assert conditions(vae.Config(), 3) is None and conditions(OF_CLASSES, 3) is None


def test_a_computation_is_refused_where_a_part_of_it_is():
    def computation(config):
        yield 1
        if config:
            raise ValueError(config)

    assert refuses(computation, "wrong") and not refuses(computation, "")
