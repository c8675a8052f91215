"""Growth of image sizes: the stages, alpha, what is shown of the data, and fresh optimisers."""

import dataclasses
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen import stages
from jaxgen.gans import growing
from jaxgen.gans.growing import Growth, Resolution
from jaxgen.mode import Mode
from jaxgen.optimizers import SGD, Adam, LinearDecay, Optimizer
from jaxgen.train_state import from_variables


@dataclass(frozen=True)
class Config:
    """What the shelf reads."""

    growth: Growth
    image_shape: tuple[int, ...] = (16, 16, 1)
    resolution: Resolution = Resolution()
    player_optimizer: Optimizer = Optimizer(0.5, SGD())

    def stage(self, step):
        return self.growth.stage(self, step)


GROWTH = Growth(first=4, stabilise=6, fade=4, batch_sizes=(2, 4), rates=(1.0, 0.5))
CONFIG = Config(GROWTH)


def test_the_stages_of_the_paper_a_size_is_trained_then_the_next_fades_in():
    """Six images are three updates of 2, two of 4; four are one of 4."""
    found = [
        (stage.config.resolution, stage.start, stage.end, stage.batch_size) for stage in stages.until(CONFIG, 10**6)
    ]
    wanted = [
        (Resolution(2), 0, 3, 2),
        (Resolution(1, fading=True), 3, 4, 4),
        (Resolution(1), 4, 6, 4),
        (Resolution(0, fading=True), 6, 7, 4),
        (Resolution(0), 7, None, 4),
    ]
    assert found == wanted
    for step in range(9):
        (expected,) = [one for one in wanted if one[1] <= step and (one[2] is None or step < one[2])]
        assert CONFIG.stage(step).config == dataclasses.replace(CONFIG, resolution=expected[0])


def test_stages_without_images_are_left_out_and_one_size_alone_does_not_grow():
    growth = dataclasses.replace(GROWTH, stabilise=0)
    assert [resolution for resolution, _ in growth.stages(16)] == [
        Resolution(1, fading=True),
        Resolution(0, fading=True),
        Resolution(0),
    ]
    jumps = dataclasses.replace(GROWTH, fade=0)
    assert [resolution for resolution, _ in jumps.stages(16)] == [Resolution(2), Resolution(1), Resolution(0)]
    assert [resolution for resolution, _ in dataclasses.replace(GROWTH, first=16).stages(16)] == [Resolution(0)]


def test_the_papers_phases_in_images():
    """4x4 for 800,000 images, then 800,000 to fade in and 800,000 to train each of eight sizes."""
    growth = Growth()
    starts = [stage.start * 16 for _, stage in growth.stages(1024)]
    assert starts == [800_000 * number for number in range(17)]
    assert growth.updates(1024, 13_600_000) == 850_000 and growth.updates(1024, 0) == 0


def test_updates_count_images_at_the_batch_size_of_each_stage():
    wanted = {0: 0, 1: 1, 6: 3, 7: 4, 10: 4, 11: 5, 18: 6, 22: 7, 30: 9}
    assert {images: GROWTH.updates(16, images) for images in wanted} == wanted


def test_alpha_rises_on_a_line_from_0_to_1_over_a_fade():
    growth = dataclasses.replace(GROWTH, fade=16)  # updates 3, 4, 5, 6
    found = {}
    for step in range(3, 7):
        config = Config(growth).stage(step).config
        found[step] = float(growing.fraction(config, Mode(step=jnp.int32(step))))
    assert found == {3: 0.0, 4: 0.25, 5: 0.5, 6: 0.75}
    config = Config(growth).stage(3).config
    assert [float(growing.fraction(config, Mode(step=jnp.int32(step)))) for step in (0, 7, 99)] == [0.0, 1.0, 1.0]
    for step in (0, 7, 99):
        assert growing.fraction(Config(growth).stage(step).config, Mode()) is None
    with pytest.raises(ValueError, match="a size that fades in counts updates, but this pass has no step"):
        growing.fraction(config, Mode())


def test_images_of_a_stage_are_means_over_blocks_faded_with_those_of_half_the_size():
    images = jax.random.uniform(jax.random.key(0), (2, 16, 16, 3))
    config = dataclasses.replace(CONFIG, image_shape=(16, 16, 3), resolution=Resolution(1, fading=True))
    assert growing.shape_of(config) == (8, 8, 3)
    array = np.asarray(images).reshape(2, 4, 2, 2, 4, 2, 2, 3)  # rows and columns of 4x4 blocks, 8x8 blocks, pixels
    large, small = array.mean((3, 6)), array.mean((2, 3, 5, 6))
    small = np.broadcast_to(small[:, :, None, :, None], large.shape)
    wanted = (0.25 * large + 0.75 * small).reshape(2, 8, 8, 3)
    np.testing.assert_allclose(growing.shrink(config, images, jnp.float32(0.25)), wanted, rtol=1e-5)
    shown = growing.shrink(config, images, None)
    np.testing.assert_allclose(shown, large.reshape(2, 8, 8, 3), rtol=1e-5)
    enlarged = growing.enlarge(config, shown)
    assert enlarged.shape == images.shape
    np.testing.assert_allclose(growing.shrink(config, enlarged, None), shown, rtol=1e-6)


def loss(variables, target):
    value = (variables["params"]["w"] * target).sum()
    return value, ({"loss": value}, variables)


@pytest.mark.parametrize("b1", [0.0, 0.9])
def test_each_stage_begins_with_a_fresh_optimizer_and_has_its_own_rate(b1):
    """A fresh Adam's first step is the learning rate, whatever the gradient: moments and count of steps are gone."""
    optimizer = Optimizer(0.5, Adam(b1=b1, b2=0.99), LinearDecay(1_000))
    config = Config(GROWTH, player_optimizer=optimizer)
    state = from_variables({"params": {"w": jnp.zeros(2)}}, optimizer)
    for step, size in enumerate([1.0, 9.0, 7.0, 1e-2, 5.0, 3.0, 1e-3, 2.0, 4.0]):
        own = config.stage(step).config
        target = jnp.array([size, -size])
        after, metrics = growing.descend(own, state, loss, (target,), None, "player")
        assert after.tx is state.tx and jax.tree.structure(after) == jax.tree.structure(state)
        moved = np.asarray(after.params["w"] - state.params["w"])
        if step in (0, 3, 4, 6, 7):
            rate = 0.5 if step < 3 else 0.25
            np.testing.assert_allclose(moved, [-rate, rate], rtol=1e-4)
        else:
            assert np.abs(np.abs(moved) - 0.25).min() > 1e-3
        assert metrics["gradient_norm/player"] == pytest.approx(size * 2**0.5)
        state = after


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"first": 0}, "first is 0, but must be at least 1"),
        ({"stabilise": -1}, "stabilise is -1, but must be at least 0"),
        ({"fade": -1}, "fade is -1, but must be at least 0"),
        ({"batch_sizes": ()}, r"batch_sizes is \(\), but must be one or more numbers above 0"),
        ({"batch_sizes": (4, 0)}, r"batch_sizes is \(4, 0\), but must be one or more numbers above 0"),
        ({"rates": (0.0,)}, r"rates is \(0.0,\), but must be one or more numbers above 0"),
    ],
)
def test_settings_out_of_range_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(GROWTH, **changes)


def test_a_resolution_that_the_run_does_not_have_is_refused():
    with pytest.raises(ValueError, match="halvings is -1, but must be at least 0"):
        Resolution(-1)
    config = Config(dataclasses.replace(GROWTH, fade=0), resolution=Resolution(1, fading=True))
    with pytest.raises(ValueError, match=r"resolution is .*, but must be of a stage that has updates"):
        growing.fraction(config, Mode(step=jnp.int32(0)))
    with pytest.raises(ValueError, match="height of images is 12, but must be 4"):
        Config(GROWTH, image_shape=(12, 12, 1)).stage(0)
    growing.require_growth(CONFIG)
    with pytest.raises(ValueError, match="at most 2"):
        growing.require_growth(dataclasses.replace(CONFIG, resolution=Resolution(3)))
