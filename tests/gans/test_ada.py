"""The controller: where p goes, how fast, and how many devices it does not depend on."""

import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen import parallel
from jaxgen.gans.ada import Adaptive, NoAugmentation
from jaxgen.gans.augmentation_pipeline import BGCFNC
from tests import pages

PAGE = (pathlib.Path(__file__).parents[2] / "docs" / "regularization.md").read_text(encoding="utf-8")

STEP = 32 * 4 / 500_000
"""The golden step of p: batch * 4 / (500 * 1000), for a batch of 32."""

KEYS = jax.random.split(jax.random.key(0), 4)


def after(augmentation, signs, state=None, batch_size=32):
    state = augmentation.init() if state is None else state
    found = [state]
    for step, sign in enumerate(signs):
        found.append(augmentation.update(found[-1], jnp.float32(sign), jnp.int32(step), batch_size))
    return [float(each.p) for each in found[1:]]


def test_p_moves_at_every_fourth_update_by_the_golden_step():
    found = after(Adaptive(), [1.0] * 8)
    np.testing.assert_allclose(found, [0, 0, 0, STEP, STEP, STEP, STEP, 2 * STEP], rtol=1e-6)


def test_p_rises_above_the_target_falls_below_it_and_rests_at_it():
    augmentation = Adaptive(target=0.5, initial=0.3, every=1)
    for sign, wanted in ((0.75, 0.3 + STEP / 4), (0.25, 0.3 - STEP / 4), (0.5, 0.3)):
        assert after(augmentation, [sign]) == pytest.approx([wanted], rel=1e-6)


def test_p_is_never_below_0_and_has_no_upper_bound():
    assert after(Adaptive(), [-1.0] * 4)[-1] == 0.0
    assert after(Adaptive(initial=1.0, every=1), [1.0])[-1] > 1.0


def test_r_is_the_mean_over_the_updates_since_p_moved():
    """0.9, 0.9, 0.9 and -0.5 are 0.55 on average, below the target; each alone would say otherwise."""
    signs = [0.9, 0.9, 0.9, -0.5]
    assert after(Adaptive(initial=0.3), signs)[-1] == pytest.approx(0.3 - STEP, rel=1e-6)
    later = after(Adaptive(initial=0.3), [*signs, 0.6, 0.6, 0.6, 0.2])[-1]
    assert later == pytest.approx(0.3 - 2 * STEP, rel=1e-6)  # 0.5; with what was before the sum is above the target


def test_p_counts_images_not_updates():
    whole, parts = after(Adaptive(every=4), [1.0] * 8, batch_size=64), after(Adaptive(every=4), [1.0] * 16)
    assert whole[-1] == pytest.approx(parts[-1], rel=1e-6)
    assert after(Adaptive(speed_images=1e5), [1.0] * 4)[-1] == pytest.approx(5 * STEP, rel=1e-6)


def test_the_state_keeps_its_types_through_a_scan():
    augmentation = Adaptive()

    def step(state, number):
        return augmentation.update(state, jnp.float32(1.0), number, 32), state.p

    state, _ = jax.lax.scan(step, augmentation.init(), jnp.arange(8))
    assert float(state.p) == pytest.approx(2 * STEP, rel=1e-6)


@pytest.mark.exhaustive
def test_images_are_exactly_as_they_are_at_the_beginning_and_transformed_later():
    x, augmentation = jax.random.uniform(jax.random.key(1), (4, 6, 6, 3)), Adaptive(pipeline=BGCFNC)
    state = augmentation.init()
    np.testing.assert_array_equal(augmentation.transform(x, state, KEYS), x)
    assert (augmentation.transform(x, state._replace(p=jnp.float32(1.0)), KEYS) != x).any((1, 2, 3)).all()


@pytest.mark.exhaustive
@pytest.mark.parametrize("drive", [parallel.jit, parallel.shard_map, parallel.pmap])
def test_transforms_and_p_are_the_same_on_one_device_and_on_four(drive):
    """The scores are the sums of the transformed images."""

    def update(augmentation, state, batch, key, *, axis_name=None):
        keys = parallel.example_keys(key, len(batch), axis_name)
        images, sums = augmentation.transform(batch, state[0], keys), state[1]
        sign = parallel.pmean(jnp.sign(images.sum((1, 2, 3))).mean(), axis_name)
        total = parallel.pmean(images.mean(0), axis_name)
        return (augmentation.update(state[0], sign, jnp.int32(3), 8), sums + total), {"sign": sign}

    augmentation = Adaptive(initial=0.7, pipeline=BGCFNC)
    x = jax.random.uniform(jax.random.key(1), (8, 6, 6, 3), minval=-1.0)
    found = []
    for devices in (jax.devices()[:1], jax.devices()[:4]):
        state = (augmentation.init(), jnp.zeros((6, 6, 3)))
        found.append(drive(update, augmentation, devices=devices)(state, x, jax.random.key(2)))
    jax.tree.map(lambda one, other: np.testing.assert_allclose(one, other, atol=1e-5), *map(jax.device_get, found))


@pytest.mark.exhaustive
def test_the_example_of_the_page_runs():
    (block,) = [block for block in pages.blocks(PAGE, "python") if "Adaptive(" in block]
    names = {}
    exec(compile(block, "docs/regularization.md", "exec"), names)
    assert names["seen"].shape == names["images"].shape
    assert abs(float(names["state"].p) - 0.3) == pytest.approx(STEP, rel=1e-3)


def test_no_augmentation_does_nothing():
    x, augmentation = jnp.ones((4, 2)), NoAugmentation()
    assert augmentation.transform(x, augmentation.init(), KEYS) is x
    assert augmentation.update((), jnp.float32(1.0), jnp.int32(0), 32) == augmentation.init() == ()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"target": 1.5}, "target is 1.5, but must be in"),
        ({"every": 0}, "every is 0, but must be at least 1"),
        ({"speed_images": 0.0}, "speed_images is 0.0, but must be above 0"),
        ({"initial": -0.1}, "initial is -0.1, but must be at least 0"),
    ],
)
def test_settings_out_of_bounds_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Adaptive(**settings)
