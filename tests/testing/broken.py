"""Models that break one law of the contract each, made of one that keeps them all."""

import dataclasses
import types

import jax
import jax.numpy as jnp
import optax

from jaxgen import parallel
from jaxgen.testing import Case
from jaxgen.train_state import training_mode
from tests.testing import levels

OPTIMIZERS = (("levels/0", "generator_optimizer"), ("levels/1", "fine_optimizer"))
KEPT = Case(levels, levels.Config(), optimizers=OPTIMIZERS)


def replaced(**functions):
    """The model with other functions, in a module of its own."""
    module = types.ModuleType("model", levels.__doc__)
    vars(module).update({name: value for name, value in vars(levels).items() if name[0] != "_"} | functions)
    return dataclasses.replace(KEPT, model=module)


def documented(like):
    """With the docstring of another function."""

    def set_docstring(function):
        function.__doc__ = like.__doc__
        return function

    return set_docstring


@documented(levels.init)
def another_players_optimizer(config, key):
    state = levels.init(config, key)
    return state._replace(generator_ab=state.levels[0].replace(params=state.levels[0].params))


@documented(levels.init)
def optimizers_exchanged(config, key):
    other = dataclasses.replace(
        config, generator_optimizer=config.fine_optimizer, fine_optimizer=config.generator_optimizer
    )
    return levels.init(other, key)


@documented(levels.init)
def an_optimizer_made_anew(config, key):
    """Equal to the other, and no branch of a `jax.lax.cond` beside it."""
    state = levels.init(config, key)
    anew = state.levels[0].replace(tx=optax.sgd(0.1))
    return state._replace(levels=(anew, *state.levels[1:]))


@documented(levels.init)
def no_player(config, key):
    return {"weights": jnp.zeros(3)}


@documented(levels.update)
def a_setting_that_is_not_felt(config, state, batch, key, *, axis_name=None):
    return levels.update(dataclasses.replace(config, weight=0.5), state, batch, key, axis_name=axis_name)


@documented(levels.update)
def metrics_that_are_not_finite(config, state, batch, key, *, axis_name=None):
    state, metrics = levels.update(config, state, batch, key, axis_name=axis_name)
    return state, metrics | {"share": jnp.float32(0) * jnp.log(jnp.float32(0))}


@documented(levels.update)
def a_player_that_never_moves(config, state, batch, key, *, axis_name=None):
    new, metrics = levels.update(config, state, batch, key, axis_name=axis_name)
    return new._replace(levels=(state.levels[0].replace(step=new.levels[0].step), *new.levels[1:])), metrics


@documented(levels.update)
def a_player_that_answers_to_anothers_step(config, state, batch, key, *, axis_name=None):
    new, metrics = levels.update(config, state, batch, key, axis_name=axis_name)
    told = sum(leaf.mean() for leaf in jax.tree.leaves(new.levels[0].params))
    params = jax.tree.map(lambda leaf: leaf + 1e-3 * told, new.levels[1].params)
    return new._replace(levels=(new.levels[0], new.levels[1].replace(params=params))), metrics


@documented(levels.update)
def one_key_for_all_steps(config, state, batch, key, *, axis_name=None):
    return levels.update(config, state, batch, jax.random.key(0), axis_name=axis_name)


@documented(levels.update)
def a_mean_of_this_device_alone(config, state, batch, key, *, axis_name=None):
    """Each draws the same latents, as if its examples were the first of the batch."""
    state, metrics = levels.update(config, state, batch, key)

    def mean(leaf):
        return parallel.pmean(leaf, axis_name) if jnp.issubdtype(leaf.dtype, jnp.floating) else leaf

    return jax.tree.map(mean, (state, metrics))


def without_keys(state, key, num, axis_name):
    return training_mode(state, key, num, axis_name).with_keys(None)


def without_step(state, key, num, axis_name):
    return training_mode(state, key, num, axis_name).replace(step=None)


def in_another_mode(config, state, batch, key, axis_name, mode_of):
    """The update with another mode of its passes."""
    kept = levels.training_mode
    levels.training_mode = mode_of
    try:
        return levels.update(config, state, batch, key, axis_name=axis_name)
    finally:
        levels.training_mode = kept


@documented(levels.update)
def no_keys_in_training(config, state, batch, key, *, axis_name=None):
    return in_another_mode(config, state, batch, key, axis_name, without_keys)


@documented(levels.update)
def no_step_in_training(config, state, batch, key, *, axis_name=None):
    return in_another_mode(config, state, batch, key, axis_name, without_step)


@documented(levels.sample)
def a_sample_that_ignores_its_key(config, state, key, num, condition=None):
    return levels.sample(config, state, jax.random.key(0), num)


@documented(levels.sample)
def a_sample_of_one_key_for_all(config, state, key, num, condition=None):
    return levels.sample(config, state, key[-1] if key.ndim else key, num)


@documented(levels.sample)
def a_sample_out_of_range(config, state, key, num, condition=None):
    return 3.0 * levels.sample(config, state, key, num)


@documented(levels.sample)
def a_sample_of_labels(config, state, key, num, labels=None):
    return levels.sample(config, state, key, num)


@documented(levels.sample)
def a_trajectory_to_other_images(config, state, key, num, condition=None):
    states = jnp.stack([levels.sample(config, state, key, num)] * 2)
    return states.at[0].add(1.0).at[-1].add(0.1)


@documented(levels.sample)
def a_trajectory_that_stands_still(config, state, key, num, condition=None):
    return jnp.stack([levels.sample(config, state, key, num)] * 2)


def discriminate(config, variables, points):
    """The score of a network, as its own file calls it: the name of an ability, and another signature."""
    return points.sum(axis=(1, 2, 3))


BROKEN = {
    "an_optimizer_made_anew": (replaced(init=an_optimizer_made_anew), "states_of_equal_settings_have_one_structure"),
    "another_players_optimizer": (replaced(init=another_players_optimizer), "each_player_has_its_own_optimizer"),
    "optimizers_exchanged": (replaced(init=optimizers_exchanged), "each_player_has_its_own_optimizer"),
    "no_player": (replaced(init=no_player), "each_player_has_its_own_optimizer"),
    "an_optimizer_that_is_not_declared": (
        dataclasses.replace(KEPT, optimizers=()),
        "each_player_has_its_own_optimizer",
    ),
    "a_setting_that_is_not_felt": (
        replaced(update=a_setting_that_is_not_felt),
        "every_setting_changes_the_computation",
    ),
    "a_setting_that_is_not_refused": (
        dataclasses.replace(KEPT, refused=("weight",)),
        "every_setting_changes_the_computation",
    ),
    "no_keys_in_training": (
        replaced(update=no_keys_in_training),
        "every_network_gets_keys_and_the_step_in_training_and_keeps_what_it_counts",
    ),
    "no_step_in_training": (
        replaced(update=no_step_in_training),
        "every_network_gets_keys_and_the_step_in_training_and_keeps_what_it_counts",
    ),
    "a_sample_that_ignores_its_key": (
        replaced(sample=a_sample_that_ignores_its_key),
        "sample_has_the_shape_and_range_of_the_images",
    ),
    "a_sample_of_one_key_for_all": (
        replaced(sample=a_sample_of_one_key_for_all),
        "sample_has_the_shape_and_range_of_the_images",
    ),
    "a_sample_out_of_range": (replaced(sample=a_sample_out_of_range), "sample_has_the_shape_and_range_of_the_images"),
    "a_sample_of_labels": (replaced(sample=a_sample_of_labels), "the_module_offers_what_the_contract_names"),
    "an_ability_of_another_signature": (
        replaced(discriminate=discriminate),
        "the_module_offers_what_the_contract_names",
    ),
    "a_trajectory_to_other_images": (
        replaced(trajectory=a_trajectory_to_other_images),
        "a_trajectory_leads_from_the_noise_to_the_sample",
    ),
    "a_trajectory_that_stands_still": (
        replaced(trajectory=a_trajectory_that_stands_still),
        "a_trajectory_leads_from_the_noise_to_the_sample",
    ),
    "metrics_that_are_not_finite": (
        replaced(update=metrics_that_are_not_finite),
        "update_keeps_structure_shapes_and_dtypes",
    ),
    "a_player_that_never_moves": (replaced(update=a_player_that_never_moves), "gradients_reach_every_parameter"),
    "a_player_that_answers_to_anothers_step": (
        replaced(update=a_player_that_answers_to_anothers_step),
        "each_player_answers_to_the_steps_that_the_case_names",
    ),
    "a_player_that_does_not_answer_as_the_case_says": (
        dataclasses.replace(KEPT, answers=(("levels/1", "levels/0"),)),
        "each_player_answers_to_the_steps_that_the_case_names",
    ),
    "one_key_for_all_steps": (replaced(update=one_key_for_all_steps), "update_is_a_function_of_its_key"),
    "a_mean_of_this_device_alone": (
        replaced(update=a_mean_of_this_device_alone),
        "every_driver_gives_in_one_dispatch_what_one_device_gives_step_by_step",
    ),
}
"""By what is wrong: the case, and the law that it breaks."""
