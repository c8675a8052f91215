"""The laws of the contract, as one test class for each model."""

import dataclasses
import functools
import inspect
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import chex
import flax.linen as nn
import flax.serialization
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen import abilities, parallel
from jaxgen import model as contract
from jaxgen.batches import random_batches
from jaxgen.testing.player_laws import PlayerLaws
from jaxgen.testing.probes import AsksForKeys, arguments, conditions, embeddings, kept_passes, operations, refuses
from jaxgen.testing.settings import Case, distinct_sgd, variations
from jaxgen.testing.trees import assert_agree, differs, leaves, stacked
from jaxgen.train_state import players

BATCH = 8  # examples of a minibatch: divides over 4 devices
STEPS = 2


@functools.cache
def _jitted_init(model: Any, config: Any) -> Any:
    return jax.jit(functools.partial(model.init, config))


class Suite(PlayerLaws):
    """Tests of one model; subclass with a `case`. The state's params, not Adam's, are compared over devices."""

    case: Case
    drivers: ClassVar[Sequence[Any]] = (parallel.shard_map,)
    """Of `jaxgen.parallel`, those that are tried whenever the suite runs; the others where exhaustive tests do."""

    @classmethod
    def init(cls, config: Any = None) -> Any:
        """The state before the first update, of the case's config if no other is given."""
        return _jitted_init(cls.case.model, config or cls.case.config)(jax.random.key(0))

    @classmethod
    def batches(cls, num: int, config: Any = None) -> list[Any]:
        """`num` batches of the config's batch type, each of minibatches * BATCH examples, uint8 images."""
        config = config or cls.case.config
        return random_batches(config, num, BATCH * config.minibatches)

    @classmethod
    def given(cls, num: int, config: Any = None) -> Any:
        """What a model that samples for examples is given for `num` of them; None for others."""
        return conditions(config or cls.case.config, num)

    @pytest.fixture(scope="class")
    @classmethod
    def update(cls):
        """The update with SGD, a rate for each optimiser, compiled once for one device."""
        config = distinct_sgd(cls.case.config)
        return config, parallel.jit(cls.case.model.update, config, devices=jax.devices()[:1])

    @pytest.fixture(scope="class")
    @classmethod
    def reference(cls, update):
        """State after single steps on one device, each step's metrics, and what went in."""
        config, step = update
        batches, keys = cls.batches(STEPS), jax.random.split(jax.random.key(1), STEPS)
        state, metrics = cls.init(config), []
        for batch, key in zip(batches, keys, strict=True):
            state, found = step(state, batch, key)
            metrics.append(jax.device_get(found))
        return config, batches, keys, jax.device_get(state), stacked(metrics)

    def pytest_generate_tests(self, metafunc):
        """The law of drivers, once for each of them; those not named in `drivers` are exhaustive."""
        if "wrap" in metafunc.fixturenames:
            metafunc.parametrize(
                "wrap",
                [
                    pytest.param(wrap, marks=() if wrap in self.drivers else pytest.mark.exhaustive)
                    for wrap in (parallel.shard_map, parallel.jit, parallel.pmap)
                ],
            )

    def test_every_driver_gives_in_one_dispatch_what_one_device_gives_step_by_step(self, reference, wrap):
        """On all devices, with one trace for two calls whose states and settings are equal but not the same."""
        config, batches, keys, wanted, metrics = reference
        traces = []

        def update(config, state, batch, key, *, axis_name=None):
            traces.append(axis_name)
            return self.case.model.update(config, state, batch, key, axis_name=axis_name)

        step = wrap(update, config, steps=STEPS)
        for equal in (config, dataclasses.replace(config)):
            state, found = step(self.init(equal), stacked(batches), keys)
            assert_agree(jax.device_get(state), wanted, 1e-5)
            assert_agree(jax.device_get(found), metrics, 1e-4)
        assert len(traces) == 1

    @pytest.mark.exhaustive
    def test_vmap_with_an_axis_name_gives_the_update_of_one_device(self, reference):
        """Shares of a batch under `jax.vmap` with the axis' name."""
        config, batches, keys, wanted, _ = reference
        update = functools.partial(self.case.model.update, config, axis_name="shards")
        sharded = jax.jit(jax.vmap(update, in_axes=(None, 0, None), axis_name="shards"))
        state = self.init(config)
        for batch, key in zip(batches, keys, strict=True):
            shares = jax.tree.map(lambda leaf: leaf.reshape(4, -1, *leaf.shape[1:]), batch)
            states, _ = sharded(state, shares, key)
            state = jax.tree.map(lambda leaf: leaf[3], states)
        assert_agree(jax.device_get(state), wanted, 1e-5)

    def test_states_of_equal_settings_have_one_structure(self):
        """Two such states can be the branches of a `jax.lax.cond`: a matter of structure, which a trace shows."""
        one, other = (
            jax.eval_shape(functools.partial(self.case.model.init, config), jax.random.key(0))
            for config in (self.case.config, dataclasses.replace(self.case.config))
        )
        assert jax.tree.structure(one) == jax.tree.structure(other)
        chosen = jax.eval_shape(
            lambda *states: jax.lax.cond(jnp.array(True), lambda: states[0], lambda: states[1]), one, other
        )
        chex.assert_trees_all_equal_shapes_and_dtypes(chosen, one)

    def test_update_is_a_function_of_its_key(self, update):
        """The same key gives the same state bit for bit, another key another state."""
        config, step = update
        batch = self.batches(1)[0]
        first, again, other = (step(self.init(config), batch, jax.random.key(number))[0] for number in (0, 0, 1))
        chex.assert_trees_all_equal(first, again)
        assert differs(first, other)

    def test_a_state_that_was_stored_goes_on_bit_for_bit(self, update):
        """Everything the next update needs is in the state."""
        config, step = update
        first, second = self.batches(2)
        state, _ = step(self.init(config), first, jax.random.key(0))
        restored = flax.serialization.from_bytes(self.init(config), flax.serialization.to_bytes(state))
        assert jax.tree.structure(restored) == jax.tree.structure(state)
        undisturbed, resumed = (step(one, second, jax.random.key(1))[0] for one in (state, restored))
        chex.assert_trees_all_equal(resumed, undisturbed)

    def test_update_keeps_structure_shapes_and_dtypes(self, reference):
        """Of the state; metrics are finite float32 scalars."""
        config, _, _, after, metrics = reference
        chex.assert_trees_all_equal_shapes_and_dtypes(after, self.init(config))
        for name, values in metrics.items():
            assert values.shape == (STEPS,) and values.dtype == jnp.float32, name
            assert np.isfinite(values).all(), name

    def test_gradients_reach_every_parameter(self, reference):
        """Each leaf of params moves, but for those that the case names."""
        config, _, _, state, _ = reference
        before = leaves({name: player.params for name, player in players(self.init(config)).items()})
        after = leaves({name: player.params for name, player in players(state).items()})
        unmoved = [
            name
            for name, leaf in before.items()
            if np.abs(after[name] - leaf).max() < 1e-7  # rounding of a gradient that is zero
        ]
        assert sorted(unmoved) == sorted(self.case.unreached)

    def test_every_network_gets_keys_and_the_step_in_training_and_keeps_what_it_counts(self):
        """So that dropout in any of them drops, and what changes on a schedule does; in evaluation none is needed.

        Batch statistics, or what else a network keeps, come out of an update as its passes left them. No two networks
        get the same keys.
        """
        nets = {
            field.name: AsksForKeys(getattr(self.case.config, field.name))
            for field in dataclasses.fields(self.case.config)
            if isinstance(getattr(self.case.config, field.name), nn.Module)
        }
        config, key = dataclasses.replace(self.case.config, **nets), jax.random.key(0)
        state = jax.eval_shape(functools.partial(self.case.model.init, config), key)
        update = jax.make_jaxpr(functools.partial(self.case.model.update, config), return_shape=True)
        kept = kept_passes(*update(state, self.batches(1)[0], key))
        assert kept and all(network["in_training"] for network in kept.values()), kept
        assert len({tuple(network["key"]) for network in kept.values()}) == len(kept), kept

    @pytest.mark.exhaustive
    def test_every_setting_changes_the_computation(self):
        """Each setting, those of the networks too, is felt by the first state, the samples or the update."""
        varied = variations(self.case.config)
        taken = [name for name, config in varied if name in self.case.refused and not refuses(self.computation, config)]
        assert not taken, taken
        varied = [(name, config) for name, config in varied if name not in self.case.refused]
        wanted = list(self.computation(self.case.config))
        same = [
            name
            for name, config in varied
            if all(part == other for part, other in zip(self.computation(config), wanted, strict=True))
        ]
        assert sorted(same) == sorted(self.case.inert)

    def computation(self, config: Any) -> Iterator[tuple[str, list[bytes]]]:
        """All that goes into a first state, a sample and the state after an update: operations, numbers, constants.

        What flows into metrics alone is left out. The parts come one by one, the cheap ones first: where one of them
        differs the next is not traced. Comparing values instead would compile a program a setting.
        """
        model, key = self.case.model, jax.random.key(0)
        closed, state = jax.make_jaxpr(functools.partial(model.init, config), return_shape=True)(key)
        yield operations(closed)
        given = self.given(2, config)
        if isinstance(model, contract.Model):
            yield operations(jax.make_jaxpr(lambda state, key: model.sample(config, state, key, 2, given))(state, key))
        if isinstance(model, abilities.Matcher):
            yield operations(
                jax.make_jaxpr(functools.partial(embeddings, model, config))(state, self.batches(1, config)[0])
            )
        step = jax.make_jaxpr(lambda state, batch, key: model.update(config, state, batch, key)[0])
        yield operations(step(state, self.batches(1, config)[0], key))

    def test_config_is_a_value(self):
        """Equal settings compare and hash equal; each variation differs."""
        config = self.case.config
        other = dataclasses.replace(config)
        assert config == other and hash(config) == hash(other)
        assert all(different != config for _, different in variations(config))

    def test_sample_has_the_shape_and_range_of_the_images(self):
        """And is a function of the key of each image alone, and of its condition. Of a model that makes images."""
        if not isinstance(self.case.model, contract.Model):
            return
        config = distinct_sgd(self.case.config)  # whose first state the tests of updates have compiled
        sample = jax.jit(functools.partial(self.case.model.sample, config), static_argnums=2)
        state = self.init(config)
        keys, others = (parallel.example_keys(jax.random.key(seed), 5) for seed in (0, 1))
        given = self.given(5)
        samples = sample(state, keys, 5, given)
        assert samples.shape == (5, *config.image_shape) and samples.dtype == jnp.float32
        low, high = config.value_range or (-np.inf, np.inf)
        assert low <= samples.min() and samples.max() <= high
        assert samples.std() > 0
        mixed = sample(state, jnp.concatenate([keys[:3], others[3:]]), 5, given)
        chex.assert_trees_all_equal(samples[:3], mixed[:3])
        assert differs(samples[3:], mixed[3:]) != self.case.without_noise
        assert jax.eval_shape(lambda: sample(state, jax.random.key(0), 5, given)).shape == samples.shape

    def test_a_trajectory_leads_from_the_noise_to_the_sample(self):
        """Of a model that has one: the first states are not the samples, the last ones are, clipped to the range."""
        config, model = distinct_sgd(self.case.config), self.case.model  # as in the test before
        if not isinstance(model, abilities.TrajectoryModel):
            return
        draw = jax.jit(
            lambda state, key: (model.trajectory(config, state, key, 3), model.sample(config, state, key, 3))
        )
        states, samples = draw(self.init(config), parallel.example_keys(jax.random.key(0), 3))
        assert states.shape[0] > 1 and states.shape[1:] == samples.shape
        low, high = config.value_range or (-np.inf, np.inf)
        assert_agree(states[-1].clip(low, high), samples, 1e-5)
        assert differs(states[0].clip(low, high), samples)

    def test_the_module_offers_what_the_contract_names(self):
        """With the arguments of the protocols, in their order: what has an ability's names has its signatures.

        A module without `sample` has an ability in its place.
        """
        module = self.case.model
        for name in ("Config", "State", "init", "update"):
            assert getattr(module, name).__doc__, name
        makes = getattr(module, "sample", None)
        assert makes.__doc__ if makes else any(isinstance(module, ability) for ability in abilities.ABILITIES), "sample"
        assert module.__doc__ and "arXiv" in module.__doc__
        for ability in (contract.Learner, contract.Model, *abilities.ABILITIES):
            names = [name for name, value in vars(ability).items() if inspect.isfunction(value) and name[0] != "_"]
            if ability is contract.Learner or all(hasattr(module, name) for name in names):
                for name in names:
                    assert arguments(getattr(module, name)) == arguments(getattr(ability, name))[1:], name
