"""`python -m experiments.translate` on tiny runs of random weights: any size, any domain, and what it refuses."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from experiments import translate
from experiments.command_line.errors import UserError
from experiments.runs import restore
from experiments.translations import network, translating, translating_all
from experiments.translations.network import Network
from experiments.translations.reading import Picture
from experiments.translations.sources import Source
from jaxgen.images import scale, to_pixels
from jaxgen.nets.conditioning import TiledCondition
from jaxgen.nets.cyclegan import ResNetTranslator
from jaxgen.nets.mlp import MLP
from jaxgen.nets.pix2pix import PatchDiscriminator, UNetTranslator
from jaxgen.nets.stargan import StarGANDiscriminator, StarGANTranslator
from jaxgen.translation import cyclegan, pix2pix, stargan
from tests.experiments import enlarging, small_runs
from tests.experiments.models_of_tests import own_models  # noqa: F401
from tests.experiments.pictures_on_disk import encoded, pixels, write_all

PATCHES = PatchDiscriminator(channels=2, layers=1, norm="instance")
PAIRS = pix2pix.Config(
    input_shape=(64, 64, 3),
    image_shape=(64, 64, 3),
    generator=UNetTranslator(channels=2, downs=6, norm="instance"),
    discriminator=PATCHES,
)
ONE_SIZE = pix2pix.Config(input_shape=(8, 8, 3), image_shape=(8, 8, 3), generator=MLP((4,)), discriminator=PATCHES)
TWO_DOMAINS = cyclegan.Config(
    image_shape=(8, 8, 3), generator=ResNetTranslator(channels=2, blocks=1), discriminator=PATCHES, capacity=2
)
THREE_DOMAINS = stargan.Config(
    image_shape=(8, 8, 3),
    num_classes=3,
    generator=TiledCondition(StarGANTranslator(channels=2, blocks=1)),
    discriminator=StarGANDiscriminator(channels=2, layers=2),
)
KEY = jax.random.key(3)


def saved(name, config, tmp_path_factory, **settings):
    return small_runs.save(config, tmp_path_factory.mktemp(name) / "run", data="nowhere", **settings)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    return saved("pairs", PAIRS, tmp_path_factory)


@pytest.fixture(scope="module")
def two_domains(tmp_path_factory):
    return saved("two", TWO_DOMAINS, tmp_path_factory)


@pytest.fixture(scope="module")
def three_domains(tmp_path_factory):
    folder = saved("three", THREE_DOMAINS, tmp_path_factory)
    record = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(record | {"classes": ["cats", "dogs", "panda"]}))
    return folder


def state_of(folder):
    return restore.newest(folder)[3]


def translated(run, given, out, *options):
    return translate.main([str(run), str(given), "--out", str(out), *map(str, options)])


def read(path):
    with Image.open(path) as image:
        return np.asarray(image)


def test_every_picture_of_a_folder_is_translated_at_its_size_and_a_bad_one_is_told(pairs, tmp_path, capsys):
    bad = {"bad.png": b"text"}
    write_all(tmp_path / "in", {"a.png": encoded(pixels(20, 40)), "b/c.jpg": encoded(pixels(64, 31), "JPEG")} | bad)
    assert translated(pairs, tmp_path / "in", tmp_path / "out", "--compare") == 1
    assert read(tmp_path / "out" / "a.png").shape == (20, 40, 3) and read(tmp_path / "out/b/c.png").shape == (64, 31, 3)
    said = capsys.readouterr().out
    assert f"left out: {tmp_path / 'in' / 'bad.png'} is no picture" in said
    assert f"translated 2 with step 2, into {tmp_path / 'out'}; left out: 1" in said
    assert not (tmp_path / "out" / "bad.png").exists() and (tmp_path / "out" / "sheets" / "b" / "c.png").is_file()


def test_a_picture_of_the_size_of_the_training_is_what_sample_makes_of_it(pairs, tmp_path):
    (tmp_path / "a.png").write_bytes(encoded(pixels(64, 64)))
    assert translated(pairs, tmp_path / "a.png", tmp_path / "b.png", "--seed", 5) == 0
    key = translating_all.key_of(Source(tmp_path / "a.png", "a", "a"), 5, 0)
    images = scale(jnp.asarray(pixels(64, 64)[None]), PAIRS.value_range)
    wanted = to_pixels(jax.jit(pix2pix.sample, static_argnums=(0, 3))(PAIRS, state_of(pairs), key[None], 1, images))
    assert np.abs(read(tmp_path / "b.png").astype(int) - np.asarray(wanted[0])).max() <= 1


def test_translations_depend_on_seed_and_name_and_differ_by_their_noise(pairs, tmp_path):
    write_all(tmp_path / "in", {"a.png": encoded(pixels(64, 64)), "b.png": encoded(pixels(64, 64))})
    assert translated(pairs, tmp_path / "in", tmp_path / "out", "--num", 2, "--compare") == 0
    assert translated(pairs, tmp_path / "in/b.png", tmp_path / "alone", "--num", 2) == 0
    first, second = (read(tmp_path / "out" / f"b_{number}.png") for number in (1, 2))
    assert (first != second).any() and (first != read(tmp_path / "out" / "a_1.png")).any()
    np.testing.assert_array_equal(first, read(tmp_path / "alone" / "b_1.png"))


def test_both_directions_are_those_of_the_model_and_copies_of_one_without_noise_are_said_to_be_alike(
    two_domains, tmp_path, capsys
):
    (tmp_path / "a.png").write_bytes(encoded(pixels(32, 32)))
    images, made = scale(jnp.asarray(pixels(32, 32)[None])), {}
    for to, part in (("a", cyclegan.to_a), ("b", cyclegan.to_b)):
        assert translated(two_domains, tmp_path / "a.png", tmp_path / to, "--to", to, "--num", 2) == 0
        config = network.sized(TWO_DOMAINS, 32, 32)
        wanted = to_pixels(part(config, state_of(two_domains), KEY[None], images))[0]
        made[to] = read(tmp_path / to / "a_1.png")
        assert np.abs(made[to].astype(int) - np.asarray(wanted)).max() <= 1
    assert (made["a"] != made["b"]).any()
    assert "the translations of one picture are all alike" in capsys.readouterr().out


def test_a_class_is_named_or_all_are_made(three_domains, tmp_path):
    (tmp_path / "a.png").write_bytes(encoded(pixels(32, 32)))
    assert translated(three_domains, tmp_path / "a.png", tmp_path / "all", "--compare") == 0
    assert translated(three_domains, tmp_path / "a.png", tmp_path / "one", "--to", "dogs") == 0
    made = {name: read(tmp_path / "all" / f"a_{name}.png") for name in ("cats", "dogs", "panda")}
    np.testing.assert_array_equal(read(tmp_path / "one" / "a.png"), made["dogs"])
    assert (made["cats"] != made["dogs"]).any()
    assert (tmp_path / "all" / "sheets" / "a.png").is_file()
    with pytest.raises(UserError, match="--to 'cow' is no class"):
        translated(three_domains, tmp_path / "a.png", tmp_path / "no", "--to", "cow")


def test_a_network_of_one_size_sees_all_of_the_picture_and_its_output_has_the_pictures_shape(
    tmp_path_factory, tmp_path
):
    run = saved("one", ONE_SIZE, tmp_path_factory)
    (tmp_path / "a.png").write_bytes(encoded(pixels(10, 30)))
    assert translated(run, tmp_path / "a.png", tmp_path / "out") == 0
    assert read(tmp_path / "out" / "a.png").shape == (10, 30, 3)
    assert Network(ONE_SIZE, state_of(run)).stride is None
    for option in (("--size", "own"), ("--tile", 8)):
        with pytest.raises(UserError, match="the network takes 8x8 pixels alone; leave it out"):
            translated(run, tmp_path / "a.png", tmp_path / "out", *option)


def test_what_is_enlarged_is_as_much_larger_and_as_transparent(own_models, tmp_path):  # noqa: F811
    run = small_runs.save(enlarging.Config(image_shape=(8, 8, 3), input_shape=(4, 4, 3)), tmp_path / "run", data="no")
    image = Image.fromarray(pixels(5, 9)).convert("RGBA")
    image.putalpha(Image.fromarray(np.full((5, 9), 7, np.uint8)))
    image.save(tmp_path / "a.png")
    assert translated(run, tmp_path / "a.png", tmp_path / "out") == 0
    found, flat = read(tmp_path / "out" / "a.png"), Image.new("RGBA", (9, 5), "white")
    flat.alpha_composite(image)
    assert found.shape == (10, 18, 4) and (found[..., 3] == 7).all()
    wanted = np.asarray(flat)[..., :3].repeat(2, axis=0).repeat(2, axis=1)
    assert np.abs(found[..., :3].astype(int) - wanted).max() <= 1


def test_strides_are_those_of_the_networks():
    for config, module, stride in ((PAIRS, pix2pix, 64), (TWO_DOMAINS, cyclegan, 4)):
        state = jax.eval_shape(lambda config=config, module=module: module.init(config, KEY))
        assert Network(config, state).stride == stride


class Brightened:
    """A network of stride 4 that counts its calls."""

    input_shape, factor, stride, fills_holes = (8, 8, 3), 1, 4, False

    def __init__(self):
        self.shapes = []

    def __call__(self, tile, key, known=None):
        self.shapes.append(tile.shape[:2])
        return np.minimum(tile + 1.0, 255.0)


@pytest.mark.parametrize(
    ("tile", "shapes"), [(None, {(96, 224)}), (0, {(96, 224)}), (40, {(64, 64)}), (500, {(96, 224)})]
)
def test_tiles_are_of_one_size_and_asked_for_or_chosen_by_the_pictures(tile, shapes):
    brightened = Brightened()
    found = translating.Way(brightened, "own", tile)(Picture(pixels(70, 200)), KEY)
    assert set(brightened.shapes) == shapes
    np.testing.assert_array_equal(found.pixels, np.minimum(pixels(70, 200).astype(int) + 1, 255))


def test_large_pictures_are_tiled_unasked():
    way = translating.Way(Brightened(), "own")
    assert way.side(1024, 2048) is None and way.side(1024, 2080) == 512


def test_a_sheet_shows_input_output_and_target(two_domains, tmp_path, monkeypatch):
    shown = []
    monkeypatch.setattr(translating_all.sheet, "sheet", lambda columns: shown.append(columns) or pixels(4, 4))
    both = pixels(32, 64)
    write_all(
        tmp_path, {"pairs/a.png": encoded(both), "in/a.png": encoded(both[:, :32]), "to/a.png": encoded(both[:, 32:])}
    )
    assert translated(two_domains, tmp_path / "pairs", tmp_path / "out", "--pairs", "--compare") == 0
    assert translated(two_domains, tmp_path / "in", tmp_path / "o", "--compare", "--targets", tmp_path / "to") == 0
    for columns in shown:
        assert list(columns) == ["input", "output", "target"]
        np.testing.assert_array_equal(columns["input"], both[:, :32])
        np.testing.assert_array_equal(columns["target"], both[:, 32:])
    np.testing.assert_array_equal(shown[0]["output"], shown[1]["output"])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--to", "c"), "--to is 'c', but cyclegan translates to a or b"),
        (("--size", "trained", "--tile", "64"), "with --size trained there are no tiles"),
        (("--compare", "--targets", "nowhere"), "--targets nowhere is no folder"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(options, says, two_domains, tmp_path):
    (tmp_path / "a.png").write_bytes(encoded())
    with pytest.raises(UserError, match=says):
        translated(two_domains, tmp_path / "a.png", tmp_path / "out", *options)


def test_a_run_that_translates_nothing_and_a_missing_folder_are_told(tmp_path):
    run = small_runs.save(small_runs.GAN, tmp_path / "run")
    (tmp_path / "a.png").write_bytes(encoded())
    with pytest.raises(UserError, match="wgan_gp makes no image of another image"):
        translated(run, tmp_path / "a.png", tmp_path / "out")
    with pytest.raises(UserError, match="the pictures come second"):
        translate.main([str(run)])
