import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen import parallel
from jaxgen.batches import Labelled
from jaxgen.diffusion import denoising
from jaxgen.diffusion.denoising import Examples, create_denoiser, denoise, denoiser_step, draw_examples, wanted
from jaxgen.diffusion.predictions import Data, Noise, Preconditioned, Score, V, Velocity, corrupt
from jaxgen.diffusion.schedules import VE, VP, Cosine, CosineBetas, LinearBetas, Sigmas, Straight
from jaxgen.mode import EVALUATION
from jaxgen.priors import Gaussian
from tests.diffusion.networks import Config, Tiny

drawn_examples = jax.jit(lambda config, batch: draw_examples(config, batch, jax.random.key(0), None), static_argnums=0)
PURE_NOISE = [Straight(), Cosine()]
CONFIG = Config(num_classes=3, class_dropout=0.25)


def labelled(num):
    images = np.random.default_rng(0).integers(0, 256, (num, 2, 2, 1), np.uint8)
    return Labelled(jnp.asarray(images), jnp.arange(num, dtype=jnp.int32) % 3)


@pytest.mark.parametrize("schedule", PURE_NOISE, ids=str)
@pytest.mark.parametrize("kind", [Noise(), Score()], ids=str)
def test_kinds_that_say_nothing_of_the_data_at_pure_noise_are_refused(schedule, kind):
    sentence = rf"prediction is {type(kind).__name__}\(\), but must be V\(\), Velocity\(\) or Data\(\): "
    with pytest.raises(ValueError, match=sentence + rf"{type(schedule).__name__} begins at pure noise"):
        Config(schedule=schedule, prediction=kind)


@pytest.mark.parametrize("schedule", [*PURE_NOISE, LinearBetas(), CosineBetas(), VP(), VE(), Sigmas()], ids=str)
def test_all_other_pairs_of_schedule_and_kind_are_taken(schedule):
    always = [Data(), V(), Velocity(), Preconditioned()]
    for kind in always if schedule in PURE_NOISE else [*always, Noise(), Score()]:
        assert Config(schedule=schedule, prediction=kind).prediction == kind


@pytest.mark.parametrize(
    ("schedule", "deviation"), [(LinearBetas(), 0.99998), (Sigmas(), 80.0), (VE(), 50.0), (Straight(), 1.0)], ids=str
)
def test_the_prior_is_the_noise_at_the_noisiest_time(schedule, deviation):
    prior = Config(schedule=schedule, prediction=V()).prior
    assert isinstance(prior, Gaussian) and prior.shape == (2, 2, 1)
    assert prior.deviation == pytest.approx(deviation, rel=1e-5)


def test_settings_say_whether_batches_have_labels():
    assert Config(num_classes=3).batch_type is Labelled and Config().batch_type is None
    for dropout in (-0.1, 1.1):
        with pytest.raises(ValueError, match=rf"class_dropout is {dropout}, but must be in \[0, 1\]"):
            Config(class_dropout=dropout)


def test_examples_are_data_in_range_with_noise_times_and_classes():
    batch, num = labelled(4000), 4000
    found = drawn_examples(CONFIG, batch)
    np.testing.assert_allclose(found.data, np.asarray(batch.images, np.float32) / 127.5 - 1.0, atol=1e-6)
    assert found.noise.shape == (num, 2, 2, 1)
    assert abs(found.noise.mean()) < 4 / (4 * num) ** 0.5
    assert float(found.noise.var()) == pytest.approx(1.0, abs=4 * (2 / (4 * num)) ** 0.5)
    assert set(np.unique(found.times)) == set(range(10))
    kept = np.asarray(found.classes).any(1)
    np.testing.assert_array_equal(found.classes, np.eye(3)[batch.labels] * kept[:, None])
    assert 1 - kept.mean() == pytest.approx(0.25, abs=4 * (0.25 * 0.75 / num) ** 0.5)
    together = np.corrcoef([found.times, found.noise.reshape(num, -1)[:, 0], kept])
    assert np.abs(together - np.eye(3)).max() < 4 / num**0.5  # drawn independently of each other


def test_no_label_is_dropped_without_dropout_and_there_are_none_without_classes():
    batch = labelled(50)
    whole = drawn_examples(dataclasses.replace(CONFIG, class_dropout=0.0), batch)
    np.testing.assert_array_equal(whole.classes, np.eye(3)[batch.labels])
    assert drawn_examples(Config(), batch.images).classes is None


def test_examples_are_the_same_on_four_devices():
    batch, key = labelled(8), jax.random.key(0)
    one = drawn_examples(CONFIG, batch)

    def update(config, state, batch, key, *, axis_name=None):
        found = draw_examples(config, batch, key, axis_name)
        return jax.tree.map(lambda leaf: parallel.take(leaf, jnp.arange(8), axis_name), found), {}

    found, _ = parallel.shard_map(update, CONFIG)(jax.tree.map(jnp.zeros_like, one), batch, key)
    for name, alone, shared in zip(one._fields, one, found, strict=True):
        np.testing.assert_allclose(shared, alone, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("kind", [Noise(), V(), Preconditioned()], ids=str)
def test_what_is_wanted_is_the_target_at_the_time_of_each_example(kind):
    config = Config(prediction=kind)
    data, noise = (jax.random.normal(key, (2, 2, 2, 1)) for key in jax.random.split(jax.random.key(0)))
    times = jnp.array([2.0, 7.0])
    found = wanted(config, Examples(data, noise, times, None))
    for i in range(2):
        level = config.schedule.level(np.float64(times[i]))
        p, q = (np.float64(each) for each in kind.coefficients(type(level)(*map(np.float32, level))))
        np.testing.assert_allclose(found[i], p * data[i] + q * noise[i], atol=1e-5)


class Recorded(Tiny):
    """Also says what it was given."""

    def __call__(self, inputs, times, condition, output_shape, *, mode=EVALUATION):
        outputs = jnp.stack(
            [inputs[:, 0, 0, 0], times, condition[:, 1], jnp.full(len(times), float(output_shape[-1]))], 1
        )
        return jnp.tile(outputs.reshape(-1, 2, 2, 1), (1, 1, 1, output_shape[-1]))


def test_the_network_is_given_the_inputs_of_its_kind_and_the_label_of_the_time():
    config = Config(schedule=Sigmas(), prediction=Preconditioned(0.5), num_classes=3, denoiser=Recorded())
    noisy, times = jnp.full((2, 2, 2, 1), 3.0), jnp.array([0.5, 80.0])
    found, _ = denoise(config, {"params": {}}, noisy, times, jnp.eye(3)[:2])
    assert found.kind == config.prediction and found.variance is None
    np.testing.assert_allclose(found.value[:, 0, 0, 0], 3.0 / np.sqrt(np.array([0.5, 80.0]) ** 2 + 0.25), rtol=1e-6)
    np.testing.assert_allclose(found.value[:, 0, 1, 0], np.log([0.5, 80.0]) / 4, rtol=1e-5)
    np.testing.assert_array_equal(found.value[:, 1, 0, 0], [0.0, 1.0])
    np.testing.assert_array_equal(found.value[:, 1, 1, 0], [1.0, 1.0])


class Doubled(Tiny):
    """As many channels as it is asked for: i in channel i."""

    def __call__(self, inputs, times, condition, output_shape, *, mode=EVALUATION):
        return jnp.broadcast_to(jnp.arange(float(output_shape[-1])), (inputs.shape[0], *output_shape))


def test_the_second_half_of_the_channels_is_the_variance_from_minus_1_to_1():
    class Learned(Config):
        outputs = 2

    found, _ = denoise(
        Learned((2, 2, 3), denoiser=Doubled()), {"params": {}}, jnp.ones((2, 2, 2, 3)), jnp.ones(2), None
    )
    np.testing.assert_array_equal(found.value[0, 0, 0], [0.0, 1.0, 2.0])
    np.testing.assert_array_equal(found.variance[0, 0, 0], [2.0, 2.5, 3.0])  # of 3, 4, 5: 0 for -1, 1 for 1


def test_a_step_goes_down_the_loss_and_the_average_follows_with_the_count_after_it():
    state = jax.jit(lambda key: create_denoiser(CONFIG, key))(jax.random.key(0))
    assert jax.tree.all(jax.tree.map(lambda a, b: (a == b).all(), state.ema, state.denoiser.variables))
    examples = drawn_examples(CONFIG, labelled(4))

    def loss(variables, examples, mode):
        assert mode.train and mode.keys.shape == (4,)
        noisy = corrupt(CONFIG.schedule.level(examples.times), examples.data, examples.noise)
        prediction, variables = denoise(CONFIG, variables, noisy, examples.times, examples.classes, mode)
        return denoising.loss_output(((prediction.value - examples.noise) ** 2).mean((1, 2, 3)), variables)

    step = jax.jit(lambda state, examples, key: denoiser_step(CONFIG, state, loss, (examples,), key, None))
    after, metrics = step(state, examples, jax.random.key(2))
    assert int(after.denoiser.step) == 1 and np.isfinite(metrics["loss"])
    for old, new, mean in zip(
        *(jax.tree.leaves(each["params"]) for each in (state.ema, after.denoiser.variables, after.ema)), strict=True
    ):
        np.testing.assert_allclose(mean, 0.5 * old + 0.5 * new, atol=1e-6)
    assert any(
        np.abs(a - b).max() > 1e-6
        for a, b in zip(*(jax.tree.leaves(each.denoiser.params) for each in (state, after)), strict=True)
    )


def test_the_loss_is_the_mean_over_the_batch_and_its_own_metric():
    loss, (metrics, variables) = denoising.loss_output(jnp.array([1.0, 4.0]), {"params": {}})
    assert loss == 2.5 and metrics == {"loss": 2.5} and variables == {"params": {}}
