"""The laws of the contract about players: whose optimiser is whose, and who answers to whom."""

from typing import Any

import jax
import numpy as np
import pytest

from jaxgen import parallel
from jaxgen.testing.probes import with_other_moments
from jaxgen.testing.settings import Case, distinct_sgd, optimizer_fields, optimizer_of, with_sgd
from jaxgen.testing.trees import differs, leaves
from jaxgen.train_state import players

FIXED = 1e-30  # a learning rate whose steps no weight shows in float32; a bias of 0 moves by it times its gradient


class PlayerLaws:
    """Tests of the players of one model: a part of `jaxgen.testing.Suite`."""

    case: Case

    @classmethod
    def init(cls, config: Any = None) -> Any:
        """The state before the first update."""
        raise NotImplementedError

    @classmethod
    def batches(cls, num: int, config: Any = None) -> list[Any]:
        """`num` batches of the config's batch type."""
        raise NotImplementedError

    def test_each_player_has_its_own_optimizer(self):
        """`generator_optimizer` is the generator's; a setting called `optimizer` belongs to every player there is."""
        config = distinct_sgd(self.case.config)
        found, declared = players(jax.eval_shape(lambda: self.init(config))), dict(self.case.optimizers)
        assert found, "a model has a TrainState somewhere in its State"
        for name, player in found.items():
            own = declared.get(name, f"{name}_optimizer")
            wanted = own if own in optimizer_fields(config) else "optimizer"
            assert optimizer_of(config, player) == [wanted], name
        used = {name for player in found.values() for name in optimizer_of(config, player)}
        assert used | set(self.case.shared) == set(optimizer_fields(config))

    @pytest.mark.exhaustive
    def test_each_player_moves_by_its_own_optimizer_alone(self):
        """With a learning rate of 1e-30 a player stays where it is, whatever the others do."""
        shared, alone = self.case.shared, jax.devices()[:1]
        for field in set(optimizer_fields(self.case.config)) - set(shared):
            config = with_sgd(self.case.config, 0.1, **dict.fromkeys((field, *shared), FIXED))
            before = players(self.init(config))
            step = parallel.jit(self.case.model.update, config, devices=alone)
            state, _ = step(self.init(config), self.batches(1)[0], jax.random.key(0))
            for name, player in players(state).items():
                old, new = leaves(before[name].params), leaves(player.params)
                moved = any(np.abs(new[path] - old[path]).max() > 1e-25 for path in old)
                assert moved == (field not in optimizer_of(config, before[name])), (field, name)

    def test_each_player_answers_to_the_steps_that_the_case_names(self, update):
        """A player whose optimiser has other moments steps elsewhere: who else does has seen it there."""
        config, step = update
        if len(names := players(self.init(config))) == 1:
            return
        first, second = self.batches(2)

        def after(disturbed: str | None = None) -> dict[str, Any]:
            state, _ = step(self.init(config), first, jax.random.key(0))
            state = with_other_moments(state, disturbed) if disturbed else state
            return players(jax.device_get(step(state, second, jax.random.key(1))[0]))

        undisturbed, moved = after(), set()
        for other in names:
            for name, player in after(other).items():
                if differs(player.params, undisturbed[name].params):
                    moved.add((name, other))
        assert moved == self.case.answers_of(names) | {(name, name) for name in names}
