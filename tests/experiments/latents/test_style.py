"""The style of images under other texts: what stands where in the picture, and what cannot be drawn."""

import jax.numpy as jnp
import numpy as np
import pytest

from experiments import data, latents
from experiments.command_line.errors import UserError
from experiments.data.options import ImageOptions
from experiments.latents import style
from experiments.models import styles, texts
from experiments.pictures import kinds
from experiments.pictures import styles as pictures
from experiments.runs import pretrained, restore
from experiments.runs.experiment import Experiment
from jaxgen.images import scale, to_pixels
from jaxgen.nets.mlp import MLP
from jaxgen.text_to_image import style_encoder
from jaxgen.train_state import Frozen
from tests.experiments import small_runs
from tests.experiments.models.test_texts import CONFIG as GAME
from tests.experiments.pictures_on_disk import encoded, pixels, write_all

CONFIG = style_encoder.Config(
    image_shape=GAME.image_shape,
    caption_length=GAME.caption_length,
    text_features=GAME.text_features,
    encoder=GAME.encoder,
    prior=GAME.prior,
    generator=GAME.generator,
    style_encoder=MLP((4,)),
)
TEXTS = ("a red ring", "blue")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder, files = tmp_path_factory.mktemp("style"), {}
    for part in ("train", "test"):
        for index in range(8):
            files[f"{part}/{index}.png"] = encoded(pixels(16, 16, 3, len(files)))
            files[f"{part}/{index}.txt"] = f"no {index}".encode()
    write_all(folder / "data", files)
    settings = {"data": f"captions:{folder / 'data'}", "images": ImageOptions(caption_length=24)}
    return small_runs.save(CONFIG, folder / "run", **settings, pictures=("styles",), num_samples=12)


def test_a_row_has_the_style_of_its_image_and_a_column_its_text(run, tmp_path, monkeypatch, capsys):
    seen = {}
    monkeypatch.setattr(style, "sheet", lambda *given: seen.update(given=given) or given[0][0])
    argv = [str(run), "style", "--images", "test:0,5,2", "--out", str(tmp_path / "a.png")]
    assert latents.main([*argv, "--text", TEXTS[0], "--text", TEXTS[1]]) == 0
    assert "3 images, each in 2 texts: a red ring; blue" in capsys.readouterr().out
    shown, made, named = seen["given"]
    experiment, _, _, state = restore.newest(run)
    wanted = np.asarray(data.load_for(experiment, "test").batch(np.array([0, 5, 2])))
    np.testing.assert_array_equal(shown, wanted)
    assert made.shape == (3, 2, 16, 16, 3) and named == list(TEXTS)
    z = style_encoder.to_latents(CONFIG, state, scale(jnp.asarray(wanted), CONFIG.value_range))
    for column, caption in enumerate(texts.encoded(CONFIG, TEXTS)):
        condition = jnp.broadcast_to(caption, (3, len(caption)))
        images = to_pixels(style_encoder.from_latents(CONFIG, state, z, condition), CONFIG.value_range)
        assert np.abs(made[:, column].astype(int) - np.asarray(images)).max() <= 1


def test_many_images_are_made_in_several_calls(run, monkeypatch):
    experiment, _, _, state = restore.newest(run)
    images = np.asarray(data.load_for(experiment, "test").batch(np.arange(5)))
    captions = texts.encoded(CONFIG, TEXTS)
    whole = styles.transfer(CONFIG)(state, images, captions)
    monkeypatch.setattr(styles, "CHUNK", 4)
    parts = styles.transfer(CONFIG)(state, images, captions)
    assert np.abs(whole.astype(int) - parts).max() <= 1


def test_a_run_draws_held_out_images_under_captions_of_others(run):
    experiment, _, _, state = restore.newest(run)
    kinds.check(experiment)
    drawn = kinds.drawings(experiment, data.load_for(experiment), None)["styles"](state)  # pyright: ignore
    grid = pictures.figures.grid(np.zeros((2 * 6, 16, 16, 3), np.uint8), 6)
    assert drawn.shape[0] > grid.shape[0] and drawn.shape[1] >= grid.shape[1]


def test_what_cannot_be_drawn_is_said(run, tmp_path):
    game = small_runs.save(GAME, tmp_path / "game")
    plain = small_runs.save(small_runs.GAN, tmp_path / "plain")
    words = ["--text", "red"]
    for folder, argv, message in (
        (run, [], "--text is missing; say what is to be drawn in the style"),
        (run, ["--images", "sample:0", *words], "sample:0 draws latent vectors, which have no original"),
        (game, words, "gan_cls finds no style of an image; use a run of style_encoder"),
        (plain, words, "wgan_gp makes no images of embeddings of texts"),
    ):
        with pytest.raises(UserError, match=message):
            latents.main([str(folder), "style", *argv])
    with pytest.raises(UserError, match="style_encoder decodes a latent under a text; use latents RUN style"):
        latents.main([str(run), "reconstruct"])
    with pytest.raises(UserError, match="--pictures styles cannot be drawn: wgan_gp makes no images of embeddings"):
        kinds.check(Experiment(model=small_runs.GAN, pictures=("styles",)))


def test_the_generator_of_a_run_is_read_as_its_moving_average(tmp_path):
    game = small_runs.save(GAME, tmp_path / "game")
    _, _, _, state = restore.newest(game)
    here = restore.abstract_state(Experiment(model=CONFIG))
    part = here.generator
    assert isinstance(part, Frozen)
    found = pretrained.read(f"{game}:ema", part)
    wanted = state.ema["params"]["first"]["kernel"]
    np.testing.assert_array_equal(found["params"]["first"]["kernel"], wanted)
    from_frozen = pretrained.read(str(game / "frozen" / "encoder.npz"), here.encoder)
    assert from_frozen["params"].keys() == state.encoder.variables["params"].keys()
