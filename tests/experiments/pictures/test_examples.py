"""Training pictures of models that are given images: what they are made of, and both directions."""

from typing import Any

import jax
import numpy as np
import pytest

from experiments import data
from experiments.pictures import examples, figures, kinds
from experiments.runs.experiment import Experiment
from jaxgen import parallel
from jaxgen.batches import Inpainting, Unpaired
from jaxgen.images import scale, to_pixels
from jaxgen.nets.cyclegan import ResNetTranslator
from jaxgen.nets.pix2pix import PatchDiscriminator
from jaxgen.translation import cyclegan, partial_conv
from tests.experiments import enlarging
from tests.experiments.models_of_tests import own_models  # noqa: F401
from tests.experiments.pictures_on_disk import encoded, pixels, write_all
from tests.translation.test_partial_conv import TINY

KEY = jax.random.key(0)
PIXELS: Any = np.random.default_rng(0).integers(0, 120, (3, *TINY.image_shape), np.uint8)


@pytest.fixture
def shown(monkeypatch):
    found = []
    monkeypatch.setattr(figures, "side_by_side", lambda columns, *_, **__: found.append(columns) or pixels(4, 4))
    return found


def test_both_directions_of_two_domains_stand_beside_what_they_are_made_of(tmp_path, shown):
    """Ten held-out images of each domain, four columns: three rows of twelve images in a picture."""
    names = [f"{split}{side}/{seed}.png" for split in ("train", "test") for side in "AB" for seed in range(10)]
    write_all(tmp_path, {name: encoded(pixels(8, 8, seed=seed)) for seed, name in enumerate(names)})
    config = cyclegan.Config(
        image_shape=(8, 8, 3),
        generator=ResNetTranslator(channels=2, blocks=1),
        discriminator=PatchDiscriminator(channels=2, layers=1, norm="instance"),
        capacity=0,
    )
    experiment = Experiment(model=config, data=f"unpaired:{tmp_path}", num_samples=12)
    draw = kinds.drawings(experiment, data.load_for(experiment), KEY)["samples"]
    state = jax.jit(cyclegan.init, static_argnums=0)(config, KEY)
    draw(state)
    (columns,) = shown
    assert list(columns) == ["a", "a to b", "b", "b to a"]
    batch = data.load_for(experiment, "test").batch(np.array([0, 4, 9]), Unpaired)
    np.testing.assert_array_equal(columns["a"], batch.a)
    np.testing.assert_array_equal(columns["b"], batch.b)
    keys = parallel.example_keys(KEY, 3)
    for title, part, images in (("a to b", cyclegan.to_b, batch.a), ("b to a", cyclegan.to_a, batch.b)):
        wanted = to_pixels(part(config, state, keys, scale(jax.numpy.asarray(images))))
        assert np.abs(columns[title].astype(int) - np.asarray(wanted)).max() <= 1


def test_pairs_show_input_sample_and_target(own_models, tmp_path, shown):  # noqa: F811
    write_all(
        tmp_path, {f"{split}/{seed}.png": encoded(pixels(8, 16)) for split in ("train", "val") for seed in range(2)}
    )
    config = enlarging.Config(input_shape=(8, 8, 3), image_shape=(8, 8, 3))
    experiment = Experiment(model=config, data=f"pairs:{tmp_path}", num_samples=3)
    kinds.drawings(experiment, data.load_for(experiment), KEY)["samples"](enlarging.init(config, KEY))
    (columns,) = shown
    assert list(columns) == ["condition", "sample", "target"]
    np.testing.assert_array_equal(columns["condition"][0], pixels(8, 16)[:, :8])
    np.testing.assert_array_equal(columns["sample"], columns["condition"])
    np.testing.assert_array_equal(columns["target"][0], pixels(8, 16)[:, 8:])


def test_filled_holes_stand_between_the_images_with_holes_and_the_whole_ones():
    state, key = jax.jit(partial_conv.init, static_argnums=0)(TINY, jax.random.key(0)), jax.random.key(1)
    draw = examples._one_sample(Experiment(TINY), Inpainting(PIXELS), key, ())
    columns = draw(state)
    assert list(columns) == ["hole", "sample", "target"]
    np.testing.assert_array_equal(columns["target"], PIXELS)
    images = 2.0 * PIXELS.astype(np.float32) / 255 - 1
    sample = jax.jit(partial_conv.sample, static_argnums=(0, 3))
    wanted = to_pixels(sample(TINY, state, key, 3, jax.numpy.asarray(images)))
    assert np.abs(columns["sample"].astype(int) - np.asarray(wanted)).max() <= 1
    hidden = np.broadcast_to(np.asarray(partial_conv.holes(TINY, key, jax.numpy.asarray(images))) == 0, PIXELS.shape)
    assert (columns["hole"][hidden] == 128).all()
    for name in ("hole", "sample"):
        np.testing.assert_array_equal(columns[name][~hidden], PIXELS[~hidden])
