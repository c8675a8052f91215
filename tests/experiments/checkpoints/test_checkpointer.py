import errno
import functools
import json
import os
import threading

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from experiments.checkpoints import checkpointer as module
from experiments.checkpoints import folder
from experiments.checkpoints.checkpointer import Best, Checkpointer, NotFiniteError
from experiments.checkpoints.checksums import checksums, sealed
from experiments.command_line.errors import FolderError, UserError
from jaxgen.gans import wgan_gp
from tests.gans.test_wgan_gp import TINY

init = jax.jit(functools.partial(wgan_gp.init, TINY))


def state_of(seed):
    return init(jax.random.key(seed))


def like():
    return jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=leaf.sharding), state_of(0))


def test_the_newest_state_comes_back_bit_for_bit(tmp_path):
    with Checkpointer(tmp_path) as checkpointer:
        assert checkpointer.restore(like()) is None
        for step in (5, 10):
            checkpointer.save(step, state_of(step))
        checkpointer.wait()
        step, state, notes, passed_over = checkpointer.restore(like())
    assert (step, notes, passed_over) == (10, {}, [])
    chex.assert_trees_all_equal(state, state_of(10))
    assert jax.tree.structure(state) == jax.tree.structure(state_of(0))


def test_a_state_may_be_donated_as_soon_as_save_returns(tmp_path):
    state = state_of(1)
    with Checkpointer(tmp_path) as checkpointer:
        checkpointer.save(1, state)
        jax.jit(lambda state: jax.tree.map(lambda leaf: leaf * 0, state), donate_argnums=0)(state)
        checkpointer.wait()
        restored = checkpointer.restore(like())
    chex.assert_trees_all_equal(restored.state, state_of(1))


def test_only_the_newest_are_kept(tmp_path):
    with Checkpointer(tmp_path, keep=2) as checkpointer:
        for step in range(1, 6):
            checkpointer.save(step, state_of(step))
            checkpointer.wait()
    assert sorted(int(path.name) for path in tmp_path.iterdir() if path.name.isdigit()) == [4, 5]


def test_a_state_of_other_names_is_refused_with_what_to_do(tmp_path):
    with Checkpointer(tmp_path) as checkpointer:
        checkpointer.save(1, {"former": jnp.zeros(2)})
        checkpointer.wait()
        wanted = {"present": jax.ShapeDtypeStruct((2,), jnp.float32)}
        with pytest.raises(UserError, match=r"step 1: .*former.*; put back .*version of jaxgen .*--no-resume$"):
            checkpointer.restore(wanted)


def test_saving_a_step_again_changes_nothing(tmp_path):
    with Checkpointer(tmp_path) as checkpointer:
        checkpointer.save(3, state_of(3))
        checkpointer.wait()
        checkpointer.save(3, state_of(4))
        checkpointer.wait()
        restored = checkpointer.restore(like())
    chex.assert_trees_all_equal(restored.state, state_of(3))


@pytest.mark.parametrize("damage", ["flip", "truncate", "remove"])
def test_a_damaged_checkpoint_is_passed_over_and_put_aside(tmp_path, damage):
    folder = tmp_path / "checkpoints"
    with Checkpointer(folder) as checkpointer:
        for step in (1, 2):
            checkpointer.save(step, state_of(step))
            checkpointer.wait()
    for path in (path for path in (folder / "2" / "state").rglob("d/*") if path.is_file()):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content if damage == "flip" else content[: len(content) // 2])
        if damage == "remove":
            path.unlink()
    with Checkpointer(folder) as checkpointer:
        step, state, _, passed_over = checkpointer.restore(like())
        assert step == 1
        assert len(passed_over) == 1
        assert passed_over[0].startswith("step 2: ")
        chex.assert_trees_all_equal(state, state_of(1))
        checkpointer.save(2, state_of(2))  # the step is free again
        checkpointer.wait()
        assert checkpointer.restore(like())[0] == 2
    assert len(list((tmp_path / "checkpoints_damaged").iterdir())) == 1


def test_a_bit_flipped_in_a_large_array_which_orbax_restores_silently_is_found(tmp_path):
    weights = jax.random.normal(jax.random.key(0), (1024, 1024))
    with Checkpointer(tmp_path) as checkpointer:
        checkpointer.save(1, {"weights": weights})
    path = max((path for path in tmp_path.rglob("d/*") if path.is_file()), key=lambda path: path.stat().st_size)
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)
    with Checkpointer(tmp_path) as checkpointer, pytest.raises(UserError, match="step 1: damaged arrays weights"):
        checkpointer.restore({"weights": weights})
    with Checkpointer(tmp_path) as checkpointer, pytest.raises(UserError, match=r"of step 1 in .* damaged arrays w"):
        checkpointer.restore_step(1, {"weights": weights})


def test_reading_alone_touches_nothing(tmp_path):
    folder = tmp_path / "checkpoints"
    with Checkpointer(folder) as checkpointer:
        checkpointer.save(1, state_of(1))
    before = sorted(tmp_path.rglob("*"))
    with Checkpointer(folder, read_only=True) as checkpointer:
        assert checkpointer.restore(like())[0] == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_a_checkpoint_of_another_model_is_refused_by_name_shape_and_dtype(tmp_path):
    with Checkpointer(tmp_path) as checkpointer:
        checkpointer.save(1, {"weight": jnp.zeros((2, 3))})
        checkpointer.wait()
        for like, message in (
            ({"weight": jnp.zeros((2, 4))}, r"weight is float32\[2, 3\] there and float32\[2, 4\] in this model"),
            ({"weight": jnp.zeros((2, 3), jnp.bfloat16)}, r"float32\[2, 3\] there and bfloat16\[2, 3\] in this model"),
            ({"weight": jnp.zeros((2, 3)), "bias": jnp.zeros(1)}, r"bias is missing there and float32\[1\] in this"),
        ):
            with pytest.raises(UserError, match=message):
                checkpointer.restore(like)


def test_keys_half_floats_counts_and_notes_come_back_as_they_were(tmp_path):
    state = {"key": jax.random.key(3), "half": jnp.ones((2, 3), jnp.bfloat16), "count": jnp.int32(7)}
    notes = {"num": 3, "sums": {"loss": 0.1 + 0.2}}
    with Checkpointer(tmp_path) as checkpointer:
        checkpointer.save(1, state, notes=notes)
        checkpointer.wait()
        restored = checkpointer.restore(state)
    chex.assert_trees_all_equal(jax.random.key_data(restored.state.pop("key")), jax.random.key_data(state.pop("key")))
    chex.assert_trees_all_equal_shapes_and_dtypes(restored.state, state)
    chex.assert_trees_all_equal(restored.state, state)
    assert restored.notes == notes


def test_a_state_of_one_device_is_restored_to_four_and_back_exactly(tmp_path):
    devices = jax.devices()

    def over(num):
        sharding = NamedSharding(Mesh(np.array(devices[:num]), ("devices",)), PartitionSpec())
        return jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding), like())

    state = state_of(1)
    for step, num in enumerate((4, 2, 1), 1):
        with Checkpointer(tmp_path) as checkpointer:
            checkpointer.save(step, state)
            checkpointer.wait()
            state = checkpointer.restore(over(num)).state
        assert {len(leaf.devices()) for leaf in jax.tree.leaves(state)} == {num}
        chex.assert_trees_all_equal(jax.device_get(state), jax.device_get(state_of(1)))


def weight(value=0.0):
    return {"weight": jnp.full(3, value, jnp.float32)}


@pytest.mark.parametrize(("mode", "best"), [("min", 2), ("max", 4)])
def test_the_best_is_kept_beside_the_newest_which_are_never_deleted_for_it(tmp_path, mode, best):
    with Checkpointer(tmp_path, keep=2, best=Best("loss", mode)) as checkpointer:
        for step, loss in enumerate((3.0, 1.0, 2.0, 5.0, 2.0, 4.0, 1.5, 4.5), 1):
            checkpointer.save(step, weight(), {"loss": loss})
            checkpointer.wait()
            assert checkpointer.newest_step() == step
        assert checkpointer.steps() == [best, 7, 8]
        assert checkpointer.best_step() == best
    with Checkpointer(tmp_path, keep=2, best=Best("another")) as checkpointer:
        assert checkpointer.best_step() is None


def test_the_earliest_of_equals_is_the_best_and_a_checkpoint_without_the_metric_is_not():
    assert Best("loss").of({1: {}, 2: {"loss": 1.0}, 3: {"loss": 1.0}}) == 2
    assert Best("loss").of({1: {}, 2: {"other": 0.0}}) is None


def damage_notes(folder, step, **changes):
    """Change what is noted of a checkpoint; with `checksum` left as it was unless it is made anew."""
    path = folder / str(step) / "meta" / "metadata"
    meta = json.loads(path.read_text()) | changes
    path.write_text(json.dumps(sealed(meta) if "sealed" in changes else meta))


def test_damaged_notes_are_found_like_damaged_arrays(tmp_path):
    with Checkpointer(tmp_path, best=Best("loss")) as checkpointer:
        for step in (1, 2):
            checkpointer.save(step, weight(step), {"loss": 1.0 / step})
    damage_notes(tmp_path, 2, metrics={"loss": 0.0})
    with Checkpointer(tmp_path, best=Best("loss")) as checkpointer:
        assert checkpointer.best_step() == 1
        restored = checkpointer.restore(weight())
    assert (restored.step, restored.passed_over) == (1, ["step 2: damaged notes"])


def test_foreign_checkpoints_are_refused(tmp_path):
    with Checkpointer(tmp_path / "one", run="one") as checkpointer:
        for step in (1, 2):
            checkpointer.save(step, weight(step))
    with (
        Checkpointer(tmp_path / "one", run="other") as checkpointer,
        pytest.raises(
            UserError, match="step 2: it belongs to another run, one; step 1: it belongs to another run, one"
        ),
    ):
        checkpointer.restore(weight())
    (tmp_path / "one" / "2").rename(tmp_path / "one" / "900")
    with Checkpointer(tmp_path / "one", run="one") as checkpointer:
        restored = checkpointer.restore(weight())
    assert (restored.step, restored.passed_over) == (1, ["step 900: it holds step 2"])


def test_a_checkpoint_from_the_future_is_neither_used_nor_put_aside(tmp_path):
    with Checkpointer(tmp_path) as checkpointer:
        for step in (1, 2):
            checkpointer.save(step, weight(step))
    damage_notes(tmp_path, 2, format=2, sealed=True)
    with Checkpointer(tmp_path) as checkpointer:
        with pytest.raises(UserError, match=r"2 was written by a newer version \(format 2, this one reads 1\)"):
            checkpointer.restore(weight())
        assert checkpointer.steps() == [1, 2]


def test_a_checkpoint_that_may_not_be_read_is_not_taken_for_a_damaged_one(tmp_path, monkeypatch):
    def denied(*_):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    with Checkpointer(tmp_path) as checkpointer:
        checkpointer.save(1, weight())
        checkpointer.wait()
        monkeypatch.setattr(checkpointer._reader, "_restore", denied)
        with pytest.raises(UserError, match="1 may not be read: Permission denied"):
            checkpointer.restore(weight())
        assert checkpointer.steps() == [1]


def test_a_step_that_is_missing_is_refused_with_those_there_are(tmp_path):
    with Checkpointer(tmp_path) as checkpointer:
        for step in (1, 2):
            checkpointer.save(step, weight(step))
        checkpointer.wait()
        assert checkpointer.restore_step(1, weight()).state["weight"][0] == 1.0
        with pytest.raises(UserError, match="no checkpoint of step 7; there are: 1, 2"):
            checkpointer.restore_step(7, weight())


def test_what_a_kill_left_is_removed_and_never_taken_for_a_checkpoint(tmp_path):
    with Checkpointer(tmp_path) as checkpointer:
        checkpointer.save(1, weight())
    for name in ("2.orbax-checkpoint-tmp", ".deleted-1-55"):
        (tmp_path / name / "state").mkdir(parents=True)
    with Checkpointer(tmp_path, read_only=True) as checkpointer:
        assert checkpointer.steps() == [1]
    assert len(list(tmp_path.iterdir())) == 3
    with Checkpointer(tmp_path):
        assert [path.name for path in tmp_path.iterdir()] == ["1"]


def test_a_deletion_that_is_cut_short_leaves_no_half_checkpoint(tmp_path, monkeypatch):
    with Checkpointer(tmp_path, keep=1) as checkpointer:
        checkpointer.save(1, weight())
        checkpointer.wait()
        monkeypatch.setattr(folder.shutil, "rmtree", lambda *_, **__: None)  # as if killed before it
        checkpointer.save(2, weight())
        checkpointer.wait()
        assert checkpointer.steps() == [2]


def test_a_failed_save_is_told_once_leaves_nothing_half_and_keeps_the_earlier_ones(tmp_path, monkeypatch):
    with Checkpointer(tmp_path) as checkpointer:
        checkpointer.save(1, weight())
        checkpointer.wait()

        def full(folder, args):
            del args
            (tmp_path / f"{folder.name}.orbax-checkpoint-tmp").mkdir()
            raise ValueError(
                'RESOURCE_EXHAUSTED: Failed to write 9 bytes: No space left on device [os_error_code="28"]'
            )

        with monkeypatch.context() as patched:
            patched.setattr(checkpointer._orbax, "save", full)
            checkpointer.save(2, weight())
            with pytest.raises(FolderError, match=r"step 2 cannot be written to .*: No space left on device$"):
                checkpointer.wait()
        checkpointer.wait()
        assert [path.name for path in tmp_path.iterdir()] == ["1"]
        checkpointer.save(2, weight())
        checkpointer.wait()
        assert checkpointer.steps() == [1, 2]


def test_a_state_that_is_not_finite_is_not_written(tmp_path):
    with Checkpointer(tmp_path) as checkpointer:
        checkpointer.save(1, weight(jnp.nan))
        with pytest.raises(NotFiniteError, match="not finite after step 1"):
            checkpointer.wait()
        assert checkpointer.steps() == []


def test_checksums_and_writing_hold_nobody_up(tmp_path, monkeypatch):
    """`save` returns while the checksums are not yet made: they wait for this thread."""
    go_on, notes = threading.Event(), {"sums": {"loss": 1.0}}
    made = checksums

    def slow(arrays):
        assert go_on.wait(timeout=60)
        return made(arrays)

    monkeypatch.setattr(module, "checksums", slow)
    with Checkpointer(tmp_path) as checkpointer:
        checkpointer.save(1, weight(), notes=notes)
        notes["sums"]["loss"] = 2.0  # what the caller does then is not in the checkpoint
        assert not checkpointer.settled()
        go_on.set()
        checkpointer.wait()
        assert checkpointer.settled() and checkpointer.steps() == [1]
        assert checkpointer.restore(weight()).notes == {"sums": {"loss": 1.0}}


def test_checksums_see_every_bit_and_name_every_leaf():
    tree = {"a": jnp.zeros(3), "b": [jnp.ones((), jnp.int32)]}
    other = {"a": tree["a"].at[1].set(1e-45), "b": tree["b"]}
    assert checksums(tree).keys() == {"a", "b/0"}
    assert checksums(tree)["a"] != checksums(other)["a"]
    assert checksums(tree)["b/0"] == checksums(other)["b/0"]
