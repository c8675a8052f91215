"""The contract that every model keeps. A model's test file subclasses `Suite` with one `Case`:

class TestContract(contract.Suite):
    case = contract.Case(model=wgan_gp, config=TINY)
"""

import dataclasses
import functools
import types
import typing
from collections.abc import Iterator
from typing import Any

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.interpreters import partial_eval

from experiments.runs import checkpoints
from jaxgen import parallel
from jaxgen import typing as typing_
from jaxgen.optimizers import SGD, Constant, LinearDecay, Optimizer
from jaxgen.train_state import TrainState

BATCH = 8  # examples of a minibatch: divides over the 4 devices
STEPS = 3
STILL = 1e-30  # a learning rate whose steps no weight shows in float32; a bias of 0 moves by it times its gradient


@dataclasses.dataclass(frozen=True)
class Case:
    """One row of the table."""

    model: Any  # the module
    config: Any  # a tiny Config with Adam, batch norm where the model has it, no network wider than 16
    unreached: tuple[str, ...] = ()  # parameters whose gradient is zero by mathematics, said in the test file
    inert: tuple[str, ...] = ()  # settings that change nothing in two updates, said in the test file
    shared: tuple[str, ...] = ()  # optimisers of a part of another's player; their law stands in the test file


def optimizer_fields(config: Any) -> list[str]:
    """Names of the settings that are optimisers."""
    values = {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}
    return [name for name, value in values.items() if isinstance(value, Optimizer)]


def with_sgd(config: Any, learning_rate: float = 1e-2, **others: float) -> Any:
    """The config with SGD everywhere: Adam's normalisation blows rounding up to the size of a step."""
    rates = {name: others.get(name, learning_rate) for name in optimizer_fields(config)}
    return dataclasses.replace(config, **{name: Optimizer(rate, SGD()) for name, rate in rates.items()})


def players(state: Any) -> dict[str, TrainState]:
    """The TrainStates of a state, by name."""
    return {name: part for name, part in state._asdict().items() if isinstance(part, TrainState)}


def variations(settings: Any, path: str = "") -> list[tuple[str, Any]]:
    """(`a.b`, settings with a.b changed) for every number, flag, choice and schedule in a tree of dataclasses.

    Of an optimiser inside, the learning rate stands for all: that each of its settings counts, `test_optimizers` shows.
    """
    hints = typing.get_type_hints(type(settings))
    hidden = {"parent", "name"} if isinstance(settings, nn.Module) else set()
    varied = []
    for field in dataclasses.fields(settings):
        if field.name in hidden:
            continue
        value, name = getattr(settings, field.name), f"{path}{field.name}"
        if isinstance(value, Optimizer):
            other = dataclasses.replace(value, learning_rate=0.5 * value.learning_rate)
            varied.append((f"{name}.learning_rate", dataclasses.replace(settings, **{field.name: other})))
            continue
        if dataclasses.is_dataclass(value) and not isinstance(value, Constant):
            inner = variations(value, f"{name}.")
            varied += [(deep, dataclasses.replace(settings, **{field.name: other})) for deep, other in inner]
            continue
        other = _other(value, hints[field.name])
        varied.append((name, dataclasses.replace(settings, **{field.name: other})))
    return varied


def _other(value: Any, hint: Any) -> Any:
    if typing.get_origin(hint) is typing.Literal:
        choices = [choice for choice in typing.get_args(hint) if choice not in (value, "batch")]
        return choices[0]
    match value:
        case Constant():
            return LinearDecay(end=10)
        case None if float in typing.get_args(hint):
            return 1.0
        case bool():
            return not value
        case int():
            return value + 1
        case float():
            return value * 0.5 if value > 1e-6 else (0.25 if value == 0 else 1e-3)
        case (float(), float()):
            return (0.0, 1.0) if value == (-1.0, 1.0) else (-1.0, 1.0)
        case ():
            return (1,)
        case tuple():
            return (value[0] + 1, *value[1:])
    raise NotImplementedError(f"say in `_other` how a setting like {value!r} of {hint} varies")


def leaves(tree: Any) -> dict[str, np.ndarray]:
    """Leaves by path."""
    flat = jax.tree_util.tree_leaves_with_path(tree)
    return {jax.tree_util.keystr(path): np.asarray(leaf) for path, leaf in flat}


def stacked(batches: list[Any]) -> Any:
    """Batches along a new first axis, as a step of several updates takes them."""
    return jax.tree.map(lambda *leaves: np.stack(leaves), *batches)


def differs(one: Any, other: Any) -> bool:
    """Whether any leaf or shape differs."""
    a, b = leaves(one), leaves(other)
    return a.keys() != b.keys() or any(not np.array_equal(a[name], b[name]) for name in a)


@functools.cache
def _jitted_init(model: Any, config: Any) -> Any:
    return jax.jit(functools.partial(model.init, config))


def _operations(closed: Any) -> tuple[str, list[bytes]]:
    """The operations on which the outputs depend, and the constants."""
    jaxpr, _ = partial_eval.dce_jaxpr(closed.jaxpr, [True] * len(closed.jaxpr.outvars), True)
    return str(jaxpr), [np.asarray(const).tobytes() for const in closed.consts]


class Suite:
    """Tests of one model; subclass with a `case`."""

    case: Case

    @classmethod
    def init(cls, config: Any = None) -> Any:
        return _jitted_init(cls.case.model, config or cls.case.config)(jax.random.key(0))

    @classmethod
    def batches(cls, num: int, config: Any = None) -> list[Any]:
        """`num` batches of the config's batch type, each of minibatches * BATCH examples, uint8 images."""
        config = config or cls.case.config
        size = BATCH * config.minibatches
        generator = np.random.default_rng(0)
        images = generator.integers(0, 256, (num, size, *config.image_shape), np.uint8)
        match config.batch_type:
            case None:
                return list(images)
            case typing_.Labelled:
                labels = generator.integers(0, config.num_classes, (num, size), np.int32)
                return [typing_.Labelled(*batch) for batch in zip(images, labels, strict=True)]
        raise NotImplementedError(f"say in `batches` how a batch of {config.batch_type} is made")

    @pytest.fixture(scope="class")
    @classmethod
    def reference(cls):
        """State after three single steps with SGD on one device, each step's metrics, and what went in."""
        config = with_sgd(cls.case.config)
        batches, keys = cls.batches(STEPS), jax.random.split(jax.random.key(1), STEPS)
        step = parallel.jit(cls.case.model.update, config, devices=jax.devices()[:1])
        state, metrics = cls.init(config), []
        for batch, key in zip(batches, keys, strict=True):
            state, found = step(state, batch, key)
            metrics.append(jax.device_get(found))
        return config, batches, keys, jax.device_get(state), jax.tree.map(lambda *steps: np.stack(steps), *metrics)

    @pytest.fixture(scope="class")
    @classmethod
    def update(cls):
        """The update with the settings of the case, compiled once."""
        return jax.jit(functools.partial(cls.case.model.update, cls.case.config))

    @pytest.mark.parametrize("wrap", [parallel.jit, parallel.pmap, parallel.shard_map])
    def test_every_driver_gives_in_one_dispatch_what_one_device_gives_step_by_step(self, reference, wrap):
        """On 4 devices, with one trace for two calls whose states and settings are equal but not the same."""
        config, batches, keys, wanted, metrics = reference
        traces = []

        def update(config, state, batch, key, *, axis_name=None):
            traces.append(axis_name)
            return self.case.model.update(config, state, batch, key, axis_name=axis_name)

        step = wrap(update, config, steps=STEPS)
        for equal in (config, dataclasses.replace(config)):
            state, found = step(self.init(equal), stacked(batches), keys)
            chex.assert_trees_all_close(jax.device_get(state), wanted, atol=1e-5, rtol=1e-5)
            chex.assert_trees_all_close(jax.device_get(found), metrics, atol=1e-4, rtol=1e-4)
        assert len(traces) == 1

    def test_vmap_with_an_axis_name_gives_the_update_of_one_device(self, reference):
        config, batches, keys, wanted, _ = reference
        update = functools.partial(self.case.model.update, config, axis_name="shards")
        sharded = jax.jit(jax.vmap(update, in_axes=(None, 0, None), axis_name="shards"))
        state = self.init(config)
        for batch, key in zip(batches, keys, strict=True):
            shares = jax.tree.map(lambda leaf: leaf.reshape(4, -1, *leaf.shape[1:]), batch)
            states, _ = sharded(state, shares, key)
            state = jax.tree.map(lambda leaf: leaf[3], states)
        chex.assert_trees_all_close(jax.device_get(state), wanted, atol=1e-5, rtol=1e-5)

    def test_states_of_equal_settings_have_one_structure(self):
        one = self.init()
        other = self.init(dataclasses.replace(self.case.config))
        assert jax.tree.structure(one) == jax.tree.structure(other)
        chosen = jax.lax.cond(jnp.array(True), lambda: one, lambda: other)
        chex.assert_trees_all_equal(chosen, one)

    def test_update_is_a_function_of_its_key(self, update):
        state, batch = self.init(), self.batches(1)[0]
        first, _ = update(state, batch, jax.random.key(0))
        again, _ = update(state, batch, jax.random.key(0))
        other, _ = update(state, batch, jax.random.key(1))
        chex.assert_trees_all_equal(first, again)
        assert differs(first, other)

    def test_a_state_that_a_checkpoint_brings_back_goes_on_bit_for_bit(self, update, tmp_path):
        """Everything the next update needs is in the state, and comes back as it was."""
        first, second = self.batches(2)
        state, _ = update(self.init(), first, jax.random.key(0))
        with checkpoints.Checkpointer(tmp_path) as checkpointer:
            checkpointer.save(1, state)
            checkpointer.wait()
            restored = jax.device_get(checkpointer.restore(self.init()).state)
        assert jax.tree.structure(restored) == jax.tree.structure(state)
        undisturbed, resumed = (update(one, second, jax.random.key(1)) for one in (state, restored))
        chex.assert_trees_all_equal(resumed, undisturbed)
        chex.assert_trees_all_equal_shapes_and_dtypes(resumed, undisturbed)

    def test_update_keeps_structure_shapes_and_dtypes(self, update):
        after, metrics = update(self.init(), self.batches(1)[0], jax.random.key(0))
        chex.assert_trees_all_equal_shapes_and_dtypes(after, self.init())
        for name, value in metrics.items():
            assert value.shape == () and value.dtype == jnp.float32, name
            assert np.isfinite(value), name

    def test_gradients_reach_every_parameter(self, reference):
        config, _, _, state, _ = reference
        before = leaves({name: player.params for name, player in players(self.init(config)).items()})
        after = leaves({name: player.params for name, player in players(state).items()})
        still = [
            name
            for name, leaf in before.items()
            if np.abs(after[name] - leaf).max() < 1e-7  # rounding of a gradient that is zero
        ]
        assert sorted(still) == sorted(self.case.unreached)

    def test_each_player_moves_by_its_own_optimizer_alone(self):
        """With a learning rate of 1e-30 a player stays where it is, whatever the others do.

        `generator_optimizer` is the generator's; a setting called `optimizer` moves every player there is.
        """
        shared, alone = self.case.shared, jax.devices()[:1]
        for field in set(optimizer_fields(self.case.config)) - set(shared):
            config = with_sgd(self.case.config, 0.1, **dict.fromkeys((field, *shared), STILL))
            before = players(self.init(config))
            state, _ = parallel.jit(self.case.model.update, config, devices=alone)(
                self.init(config), self.batches(1)[0], jax.random.key(0)
            )
            for name, player in players(state).items():
                old, new = leaves(before[name].params), leaves(player.params)
                moved = any(np.abs(new[path] - old[path]).max() > 1e-25 for path in old)
                assert moved == (field != "optimizer" and not field.startswith(name)), (field, name)

    def test_every_setting_changes_the_computation(self):
        wanted = list(self.computation(self.case.config))
        same = [
            name
            for name, config in variations(self.case.config)
            if all(part == other for part, other in zip(self.computation(config), wanted, strict=True))
        ]
        assert sorted(same) == sorted(self.case.inert)

    def computation(self, config: Any) -> Iterator[tuple[str, list[bytes]]]:
        """All that goes into a first state, a sample and the state after an update: operations, numbers, constants.

        What flows into metrics alone is left out. The parts come one by one, the cheap ones first: where one of them
        differs nobody asks for the next. Comparing values instead would compile a program a setting.
        """
        model, key = self.case.model, jax.random.key(0)
        closed, state = jax.make_jaxpr(functools.partial(model.init, config), return_shape=True)(key)
        yield _operations(closed)
        yield _operations(jax.make_jaxpr(lambda state, key: model.sample(config, state, key, 2))(state, key))
        step = jax.make_jaxpr(lambda state, batch, key: model.update(config, state, batch, key)[0])
        yield _operations(step(state, self.batches(1, config)[0], key))

    def test_config_is_a_value(self):
        config = self.case.config
        other = dataclasses.replace(config)
        assert config == other and hash(config) == hash(other)
        assert all(different != config for _, different in variations(config))

    def test_sample_has_the_shape_and_range_of_the_images(self):
        config = self.case.config
        sample = jax.jit(functools.partial(self.case.model.sample, config), static_argnums=2)
        state = self.init()
        samples = sample(state, jax.random.key(0), 5)
        assert samples.shape == (5, *config.image_shape) and samples.dtype == jnp.float32
        low, high = config.value_range or (-np.inf, np.inf)
        assert low <= samples.min() and samples.max() <= high
        assert samples.std() > 0
        chex.assert_trees_all_equal(samples, sample(state, jax.random.key(0), 5))
        assert differs(samples, sample(state, jax.random.key(1), 5))

    def test_the_module_offers_what_the_contract_names(self):
        module: types.ModuleType = self.case.model
        for name in ("Config", "State", "init", "update", "sample"):
            assert getattr(module, name).__doc__, name
        assert module.__doc__ and "arXiv" in module.__doc__
