"""What a model of many domains is given: held-out images, and the domains in turn."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.data import held_out
from experiments.exports import programs
from experiments.models import abilities, conditions
from experiments.pictures import figures, kinds
from experiments.runs.experiment import Experiment
from jaxgen import images
from jaxgen.batches import Domains
from jaxgen.nets.conditioning import TiledCondition
from jaxgen.nets.stargan import StarGANDiscriminator, StarGANTranslator
from jaxgen.translation import stargan

CONFIG = stargan.Config(
    image_shape=(8, 8, 1),
    num_classes=10,
    generator=TiledCondition(StarGANTranslator(channels=2, blocks=1)),
    discriminator=StarGANDiscriminator(channels=2, layers=2),
)
EXPERIMENT = Experiment(model=CONFIG, data="digits", num_samples=22)


@pytest.fixture(scope="module")
def state():
    return jax.jit(functools.partial(stargan.init, CONFIG))(jax.random.key(0))


@pytest.fixture(scope="module")
def test_set():
    found = held_out.load_for(EXPERIMENT)
    assert found is not None
    return found


def test_samples_of_domains_are_translations_of_held_out_images_to_the_domains_in_turn(test_set):
    source = conditions.source(EXPERIMENT)
    assert source is not None and abilities.has_domains(CONFIG) and not abilities.has_classes(CONFIG)
    given = source(np.array([0, 3, 298, 12]))
    assert isinstance(given, Domains) and given.labels.tolist() == [0, 3, 8, 2]
    wanted = images.scale(jnp.asarray(test_set.batch(np.array([0, 3, 1, 12]))), CONFIG.value_range)
    np.testing.assert_array_equal(given.images, wanted)


def test_a_picture_has_a_row_for_each_image_and_a_column_for_each_domain(state, test_set):
    picture = kinds.drawings(EXPERIMENT, test_set, jax.random.key(0))["samples"](state)
    pixels, _ = held_out.spread(test_set, 2)
    given = Domains(images.scale(jnp.asarray(pixels), (-1.0, 1.0)), jnp.full(2, 7, jnp.int32))
    seven = images.to_pixels(stargan.sample(CONFIG, state, jax.random.key(0), 2, given), (-1.0, 1.0))
    columns = {"image": pixels} | {str(label): np.asarray(seven) for label in range(10)}
    wanted = figures.side_by_side(columns)
    assert picture.shape == wanted.shape
    first, eighth = slice(0, 32), slice(8 * 34, 9 * 34)
    for part in (first, eighth):
        assert np.abs(picture[:, part].astype(int) - wanted[:, part]).max() <= 1


def test_an_exported_translator_takes_images_and_domains(state, test_set):
    sampler = next(programs.all_of(EXPERIMENT, state))
    assert [name for name, *_ in sampler.arguments] == ["seed", "images", "domains"]
    pixels, labels = jnp.asarray(test_set.batch(np.arange(3))), jnp.array([4, 0, 9], jnp.int32)
    found = jax.jit(sampler.function)(jnp.uint32(0), pixels, labels)
    given = Domains(images.scale(pixels, (-1.0, 1.0)), labels)
    wanted = images.to_pixels(stargan.sample(CONFIG, state, jax.random.key(0), 3, given), (-1.0, 1.0))
    assert np.abs(np.asarray(found, int) - np.asarray(wanted, int)).max() <= 1
