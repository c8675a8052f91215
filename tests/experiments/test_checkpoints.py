import chex
import jax
import jax.numpy as jnp
import pytest

from experiments.checkpoints import Checkpointer, checksums
from experiments.experiment import UserError
from jaxgen.gans import wgan_gp
from tests.gans.test_wgan_gp import TINY


def state_of(seed):
    return jax.jit(lambda key: wgan_gp.init(TINY, key))(jax.random.key(seed))


def like():
    return jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=leaf.sharding), state_of(0))


def test_the_newest_state_comes_back_bit_for_bit(tmp_path):
    with Checkpointer(tmp_path) as checkpointer:
        assert checkpointer.restore(like()) is None
        for step in (5, 10):
            checkpointer.save(step, state_of(step))
        checkpointer.wait()
        step, state, passed_over = checkpointer.restore(like())
    assert (step, passed_over) == (10, [])
    chex.assert_trees_all_equal(state, state_of(10))
    assert jax.tree.structure(state) == jax.tree.structure(state_of(0))


def test_a_state_may_be_donated_as_soon_as_save_returns(tmp_path):
    state = state_of(1)
    with Checkpointer(tmp_path) as checkpointer:
        checkpointer.save(1, state)
        jax.jit(lambda state: jax.tree.map(lambda leaf: leaf * 0, state), donate_argnums=0)(state)
        checkpointer.wait()
        _, restored, _ = checkpointer.restore(like())
    chex.assert_trees_all_equal(restored, state_of(1))


def test_only_the_newest_are_kept(tmp_path):
    with Checkpointer(tmp_path, keep=2) as checkpointer:
        for step in range(1, 6):
            checkpointer.save(step, state_of(step))
            checkpointer.wait()
    assert sorted(int(path.name) for path in tmp_path.iterdir() if path.name.isdigit()) == [4, 5]


def test_saving_a_step_again_changes_nothing(tmp_path):
    with Checkpointer(tmp_path) as checkpointer:
        checkpointer.save(3, state_of(3))
        checkpointer.wait()
        checkpointer.save(3, state_of(4))
        checkpointer.wait()
        _, state, _ = checkpointer.restore(like())
    chex.assert_trees_all_equal(state, state_of(3))


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
        step, state, passed_over = checkpointer.restore(like())
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


def test_reading_alone_touches_nothing(tmp_path):
    folder = tmp_path / "checkpoints"
    with Checkpointer(folder) as checkpointer:
        checkpointer.save(1, state_of(1))
    before = sorted(tmp_path.rglob("*"))
    with Checkpointer(folder, read_only=True) as checkpointer:
        assert checkpointer.restore(like())[0] == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_a_checkpoint_of_another_model_is_refused_by_name_and_shape(tmp_path):
    with Checkpointer(tmp_path) as checkpointer:
        checkpointer.save(1, {"weight": jnp.zeros((2, 3))})
        checkpointer.wait()
        with pytest.raises(UserError, match=r"weight has shape \(2, 3\) there and \(2, 4\) in this model"):
            checkpointer.restore({"weight": jnp.zeros((2, 4))})
        with pytest.raises(UserError, match=r"bias has shape None there and \(1,\) in this model"):
            checkpointer.restore({"weight": jnp.zeros((2, 3)), "bias": jnp.zeros(1)})


def test_checksums_see_every_bit_and_name_every_leaf():
    tree = {"a": jnp.zeros(3), "b": [jnp.ones((), jnp.int32)]}
    other = {"a": tree["a"].at[1].set(1e-45), "b": tree["b"]}
    assert checksums(tree).keys() == {"a", "b/0"}
    assert checksums(tree)["a"] != checksums(other)["a"]
    assert checksums(tree)["b/0"] == checksums(other)["b/0"]
