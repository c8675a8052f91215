"""Runs of models that match images and captions: retrieval, pictures, and what commands that draw say."""

import json

import jax
import numpy as np
import pytest

from experiments import evaluate, export, sample, sweep
from experiments.command_line.errors import UserError
from experiments.data import held_out
from experiments.data.options import ImageOptions
from experiments.evaluation import during, retrieval
from experiments.models import matching
from experiments.pictures import kinds, retrievals
from experiments.runs import pretrained, restore
from experiments.runs.experiment import Experiment
from experiments.translations import asked
from jaxgen.nets.mlp import MLP
from jaxgen.nets.text.char_cnn_rnn import CharCNNRNN
from jaxgen.text_to_image import caption_encoder
from jaxgen.text_to_image.matching import Contrastive
from jaxgen.train_state import Frozen
from tests.experiments import small_runs
from tests.experiments.pictures_on_disk import encoded, pixels, write_all

CONFIG = caption_encoder.Config(
    image_shape=(4, 4, 3),
    caption_length=8,
    features=3,
    image_encoder=MLP(()),
    text_encoder=CharCNNRNN((4,), (0,), kernel_size=2, width=4),
    objective=Contrastive(),
)
NUM, DIFFERENT = 24, 12


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """On pictures of which two have a caption each time."""
    folder, texts = tmp_path_factory.mktemp("captioned"), {}
    for part in ("train", "test"):
        for index in range(NUM):
            texts[f"{part}/{index:02}.png"] = f"no {chr(97 + index % DIFFERENT)}"
    files = {name: encoded(pixels(4, 4, 3, place)) for place, name in enumerate(texts)}
    write_all(folder / "data", files | {"captions.json": json.dumps(texts)})
    settings = {"data": f"captions:{folder / 'data'}", "images": ImageOptions(caption_length=8)}
    return small_runs.save(CONFIG, folder / "run", **settings, pictures=("retrievals",), eval_every=2, num_samples=18)


def test_scores_are_inner_products_of_captions_and_images_and_equal_captions_are_right_for_both(run):
    experiment, model, _, state = restore.newest(run)
    image_set = held_out.load_for(experiment)
    assert image_set is not None
    pairs = matching.pairs_of(CONFIG, image_set, 100)
    assert pairs.right.sum(axis=1).tolist() == [2] * NUM
    images = (pairs.pixels / np.float32(127.5) - 1).astype(np.float32)
    vectors = model.embed_images(CONFIG, state, jax.numpy.asarray(images))  # pyright: ignore
    texts = model.embed_captions(CONFIG, state, jax.numpy.asarray(pairs.captions))  # pyright: ignore
    np.testing.assert_allclose(
        matching.scores(CONFIG, state, pairs), np.asarray(texts) @ np.asarray(vectors).T, atol=1e-5
    )
    assert retrieval.chances(pairs)["text to image among all"] == 2 / NUM
    found = during.evaluator(experiment, image_set)(state)
    assert sorted(found) == sorted(during.names(experiment, image_set))
    assert all(name.startswith("eval/") and 0 <= value <= 1 for name, value in found.items()) and len(found) == 4


def test_an_evaluation_tells_both_directions_beside_chance(run, capsys):
    assert evaluate.main([str(run)]) == 0
    found = json.loads((run / "evaluation.json").read_text(encoding="utf-8"))
    names = [f"{way} among {which}" for way in ("text to image", "image to text") for which in (10, "all")]
    assert [row["name"] for row in found["rows"]] == names
    assert [row["chance"]["value"] for row in found["rows"]] == [0.1, 2 / NUM] * 2
    for row in found["rows"]:
        assert (
            row["samples"]["low"] <= row["samples"]["value"] <= row["samples"]["high"] and row["samples"]["num"] == NUM
        )
    shown = capsys.readouterr().out
    assert "24 pairs of an image and a caption" in shown and "chance [95 %]" in shown and "real, held out" not in shown


def commands(run):
    """Those that there is nothing for, with what they say."""
    draws = "caption_encoder makes no images; python -m experiments.evaluate"
    return [
        (lambda: sample.main([str(run)]), draws),
        (lambda: export.main([str(run), "--out", str(run / "exported")]), draws),
        (lambda: sweep.main([str(run), "--sampler.steps", "1", "2"]), draws),
        (lambda: asked.require_translator(CONFIG), draws),
        (lambda: evaluate.main([str(run), "--metrics", "frechet"]), "'frechet' is not of a model that makes no images"),
        (lambda: evaluate.main([str(run), "--extractor", "pca"]), "--extractor is given, but the run makes no images"),
    ]


@pytest.mark.parametrize("place", range(6))
def test_commands_that_draw_say_that_there_is_nothing_to_draw(run, place):
    command, sentence = commands(run)[place]
    with pytest.raises(UserError, match=sentence) as error:
        command()
    assert "\n" not in str(error.value)


def test_a_picture_has_a_row_for_each_caption_with_its_image_and_those_found(run):
    experiment, _, _, state = restore.newest(run)
    kinds.check(experiment)
    image_set = held_out.load_for(experiment)
    assert image_set is not None
    pairs = matching.pairs_of(CONFIG, image_set, 100)
    drawn = retrievals.drawing(experiment, image_set)(state)
    queries = np.linspace(0, NUM - 1, 3).astype(np.int64)
    np.testing.assert_array_equal(drawn, retrievals.sheet(CONFIG, state, pairs, queries))
    rows, columns = 3 * (32 + 2) + 2, 6 * (32 + 2) + 2
    assert drawn.shape[0] > rows and drawn.shape[1] > columns
    best = matching.scores(CONFIG, state, pairs)[0].argmax()
    tile = pairs.pixels[best].repeat(8, axis=0).repeat(8, axis=1)
    np.testing.assert_array_equal(drawn[-rows + 2 : -rows + 34, -columns + 36 : -columns + 68], tile)
    with pytest.raises(UserError, match="--pictures samples cannot be drawn: caption_encoder makes no images"):
        kinds.check(Experiment(model=CONFIG, pictures=("samples",)))
    with pytest.raises(UserError, match="wgan_gp does not match images and captions"):
        kinds.check(Experiment(model=small_runs.GAN, pictures=("retrievals",)))


def test_the_text_encoder_of_a_run_is_read_as_a_frozen_network_of_another(run):
    _, _, _, state = restore.newest(run)
    wanted = {"params": state.encoders.params["text"]}
    found = pretrained.read(f"{run}:encoders/text", Frozen(jax.tree.map(np.zeros_like, wanted), "encoder"))
    assert jax.tree.structure(found) == jax.tree.structure(wanted)
    jax.tree.map(np.testing.assert_array_equal, found, wanted)
