"""Weights and settings are read back, and held against the model."""

import dataclasses
import json

import jax
import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from experiments.exports import loading, weights
from experiments.runs import restore, settings
from experiments.runs.experiment import model_of
from jaxgen.autoencoders import aae
from jaxgen.gans import gan
from jaxgen.train_state import TrainState
from tests.experiments import small_runs

ABOUT = {"run": "a1", "experiment": "mine", "step": "2"}


def is_player(leaf):
    return isinstance(leaf, TrainState)


def folder_of(tmp_path, config, state):
    (tmp_path / "config.json").write_text(json.dumps(settings.to_json(config)))
    weights.save(tmp_path / weights.FILE, state, ABOUT)
    return tmp_path


def random_state(config):
    """Random numbers in place of all arrays: nothing is compiled for it."""
    generator = np.random.default_rng(0)

    def fill(leaf):
        return generator.normal(0.0, 9.0, leaf.shape).astype(leaf.dtype)

    return jax.tree.map(fill, jax.eval_shape(lambda: model_of(config).init(config, jax.random.key(0))))


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    return folder_of(tmp_path_factory.mktemp("out"), small_runs.GAN, random_state(small_runs.GAN))


NETS = {"image_shape": (8, 8, 1), "generator": small_runs.NET, "discriminator": small_runs.NET}


@pytest.mark.parametrize(
    "config",
    [
        small_runs.GAN,
        small_runs.SYMBOLS,
        gan.Config(**NETS),
        aae.Config(image_shape=(8, 8, 1), encoder=small_runs.NET, decoder=small_runs.NET, discriminator=small_runs.NET),
    ],
    ids=lambda config: type(config).__module__,
)
def test_a_state_comes_back_whole_with_optimisers_as_they_begin(tmp_path, config):
    state = random_state(config)
    found, loaded = loading.load(folder_of(tmp_path, config, state))
    assert found == config
    assert jax.tree.structure(loaded) == jax.tree.structure(state)
    there, wanted = weights.flat(loaded), weights.flat(state)
    for name in wanted:
        np.testing.assert_array_equal(there[name], wanted[name])
    for player in jax.tree.leaves(loaded, is_leaf=is_player):
        if is_player(player):
            jax.tree.map(np.testing.assert_array_equal, player.opt_state, player.tx.init(player.params))


def test_the_file_says_of_which_run_and_step_it_is_and_holds_no_optimiser(there):
    with safe_open(there / weights.FILE, framework="numpy") as file:
        assert file.metadata() == {"format": "1", **ABOUT}
    names = load_file(there / weights.FILE)
    assert {name.split("/")[0] for name in names} == {"generator", "critic", "ema"}
    assert names["ema/params/Dense_0/kernel"].shape == (3, 8)
    assert names["generator/step"].shape == ()
    assert not any("opt_state" in name for name in names)


def without(found, name):
    return {one: array for one, array in found.items() if one != name}


KERNEL = "ema/params/Dense_0/kernel"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda found: without(found, KERNEL), f"{KERNEL} is missing"),
        (lambda found: found | {"mine": np.zeros(3)}, "mine is not in the model"),
        (
            lambda found: found | {KERNEL: np.zeros((3, 9), np.float32)},
            f"{KERNEL} is float32[3, 9] there and float32[3, 8] in the model",
        ),
        (lambda found: found | {KERNEL: np.zeros((3, 8), np.float16)}, f"{KERNEL} is float16[3, 8] there"),
        (lambda found: {}, "; and "),
    ],
)
def test_arrays_that_do_not_fit_are_named(there, change, said):
    with pytest.raises(ValueError, match=r"does not fit jaxgen\.gans\.wgan_gp") as raised:
        weights.restored(small_runs.GAN, change(load_file(there / weights.FILE)), "FILE")
    assert said in str(raised.value) and "\n" not in str(raised.value)


def test_weights_of_other_settings_do_not_load(tmp_path):
    wider = dataclasses.replace(small_runs.GAN, latent_dim=4)
    with pytest.raises(ValueError, match=r"kernel is float32\[3, 8\] there and float32\[4, 8\] in the model"):
        loading.load(folder_of(tmp_path, wider, random_state(small_runs.GAN)))


def test_a_damaged_or_newer_file_is_said_in_one_sentence(tmp_path, there):
    config = (there / "config.json").read_text()
    save_file({}, tmp_path / "newer", metadata={"format": "2"})
    save_file({}, tmp_path / "foreign")
    cases = [
        (config, (tmp_path / "newer").read_bytes(), "has format 2, but this version of jaxgen reads 1"),
        (config, (tmp_path / "foreign").read_bytes(), "has format 0"),
        (config, (there / weights.FILE).read_bytes()[:-9], "cannot be read as safetensors"),
        (config, None, "cannot be read as safetensors"),
        ("{", b"", "config.json cannot be used"),
        ("3", b"", "it holds a int, not the settings of a model"),
        (config.replace('"latent_dim"', '"depth"'), b"", "no setting 'depth'"),
        (None, b"", "config.json cannot be read: No such file"),
    ]
    for number, (text, content, said) in enumerate(cases):
        place = tmp_path / str(number)
        place.mkdir()
        if text is not None:
            (place / "config.json").write_text(text)
        if content is not None:
            (place / weights.FILE).write_bytes(content)
        with pytest.raises(ValueError, match=said):
            loading.load(place)


def test_a_run_restored_and_a_run_loaded_sample_alike(tmp_path):
    run = small_runs.save(small_runs.GAN, tmp_path / "run")
    _, model, _, state = restore.newest(run)
    (tmp_path / "out").mkdir()
    config, loaded = loading.load(folder_of(tmp_path / "out", small_runs.GAN, state))
    draw = lambda state: model.sample(config, state, jax.random.key(0), 3)  # noqa: E731
    np.testing.assert_array_equal(draw(state), draw(loaded))
