"""Embeddings of captions from a file: whose they are, what is refused, and models that train on them."""

import dataclasses
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from safetensors.numpy import save_file

from experiments import data, export, latents, sample
from experiments.command_line.errors import UserError
from experiments.exports import programs
from experiments.models import texts, unread
from experiments.runs import restore, run_data, run_folder
from experiments.runs.experiment import Experiment
from experiments.training import runner
from jaxgen.batches import Captioned
from jaxgen.nets.stackgan import StageOneGenerator, TextAugmentation
from jaxgen.nets.text.given import Given, GivenContext
from jaxgen.nets.unet.cross_attention import CrossAttentionUNet
from jaxgen.priors import Normal
from jaxgen.text_to_image import gan_cls, latent_diffusion, stackgan
from tests.experiments import small_runs
from tests.experiments.models.test_texts import CONFIG as GAME
from tests.experiments.pictures_on_disk import encoded, pixels, write_all
from tests.text_to_image.test_latent_diffusion import PIXELS

NUM = 6
VECTORS = np.random.default_rng(0).normal(size=(4 * NUM, 5)).astype(np.float32)
TOKENS = np.random.default_rng(1).normal(size=(4 * NUM, 3, 5)).astype(np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Pictures of two captions each, in two parts, and files of embeddings of all 24 captions."""
    folder = tmp_path_factory.mktemp("embeddings")
    names = [f"{part}/{index}.png" for part in ("test", "train") for index in range(NUM)]
    written = {name: [f"{name} one", f"{name} two"] for name in names}
    files = {f"set/{name}": encoded(pixels(16, 16, 3, place)) for place, name in enumerate(names)}
    write_all(folder, files | {"set/captions.json": json.dumps(written)})
    np.savez(folder / "ordered.npz", embeddings=VECTORS)
    np.savez(folder / "tokens.npz", embeddings=TOKENS)
    save_file({"embeddings": VECTORS}, folder / "ordered.safetensors")
    shuffled = said_of(folder)[::-1]
    np.savez(folder / "keyed.npz", embeddings=VECTORS[::-1], captions=np.array(shuffled))
    np.savez(folder / "asked.npz", embeddings=VECTORS[:2])
    return folder


def said_of(folder):
    """All captions in the order of the set."""
    whole = data.load(f"captions:{folder / 'set'}", "all")
    return [whole.text(caption) for some in np.asarray(whole.captions) for caption in some]


def name_of(folder, file):
    return f"embeddings:{folder / file},captions:{folder / 'set'}"


@pytest.mark.parametrize("file", ["ordered.npz", "ordered.safetensors", "keyed.npz"])
def test_each_caption_has_its_embedding_by_order_or_by_text(folder, file):
    plain = data.load(f"captions:{folder / 'set'}", "train")
    found = data.load(name_of(folder, file), "train")
    assert found.captions is not None and found.captions.shape == (NUM, 2, 5) and found.captions.dtype == np.float32
    assert found.num_captions is not None and found.num_captions.tolist() == [2] * NUM
    said = said_of(folder)
    for row, some in enumerate(np.asarray(plain.captions)):
        for which, caption in enumerate(some):
            np.testing.assert_array_equal(found.captions[row, which], VECTORS[said.index(plain.text(caption))])
    batch = found.batch(np.array([1, 0]), Captioned)
    np.testing.assert_array_equal(batch.captions, found.captions[[1, 0], 0])
    assert found.text(found.captions[0, 0]) == "" and unread.warnings(GAME, found) == []


def test_other_embeddings_are_other_data(folder, tmp_path):
    experiment = Experiment(GAME, name_of(folder, "ordered.npz"))
    one = data.fingerprint_for(experiment)
    assert one == data.fingerprint_for(experiment)
    np.savez(tmp_path / "other.npz", embeddings=VECTORS + 1)
    other = f"embeddings:{tmp_path / 'other.npz'},captions:{folder / 'set'}"
    two = data.fingerprint_for(dataclasses.replace(experiment, data=other))
    assert one["captions"] != two["captions"] and one["images"] == two["images"]


BAD = {
    "none.npz": ({"other": VECTORS}, "has no array 'embeddings', but nothing; name the embeddings so"),
    "whole.npz": (
        {"embeddings": np.ones((3, 4), np.int32)},
        r"has embeddings of int32 \(3, 4\), but they must be floats",
    ),
    "rank.npz": ({"embeddings": np.ones((3, 4, 5, 6))}, "they must be floats"),
    "nan.npz": (
        {"embeddings": np.where(np.arange(24)[:, None] > 21, np.nan, VECTORS)},
        "has 2 embeddings that are not",
    ),
    "few.npz": ({"embeddings": VECTORS[:7]}, "has 7 embeddings, but .* 24 captions of 12 images; give one for each"),
    "texts.npz": ({"embeddings": VECTORS, "captions": np.array(["a"])}, "they must be 24 strings, one an embedding"),
    "missing.npz": (
        {"embeddings": VECTORS, "captions": np.array([f"no {n}" for n in range(24)])},
        "has no embedding of 24 captions of .*, the first is '.*one'; add them",
    ),
}


@pytest.mark.parametrize("file", BAD)
def test_files_that_do_not_fit_are_told_in_one_sentence(folder, tmp_path, file):
    arrays, message = BAD[file]
    np.savez(tmp_path / file, **arrays)
    with pytest.raises(UserError, match=message) as error:
        data.load(f"embeddings:{tmp_path / file},captions:{folder / 'set'}")
    assert "\n" not in str(error.value)


def test_names_that_are_not_understood_are_told(folder, tmp_path):
    (tmp_path / "damaged.safetensors").write_bytes(b"no tensors")
    missing = "there is no file .*; give an .npz or .safetensors file with an array 'embeddings'"
    for name, message in (
        ("embeddings:a.npz", "write --data embeddings:FILE.npz,SET"),
        (f"embeddings:{tmp_path / 'a.npz'},digits", missing),
        (f"embeddings:{tmp_path / 'a.safetensors'},digits", missing),
        (f"embeddings:{tmp_path / 'damaged.safetensors'},digits", "cannot be read as safetensors"),
        (f"embeddings:{folder / 'keyed.npz'},digits", "has embeddings by text, but digits has no captions"),
    ):
        with pytest.raises(UserError, match=message):
            data.load(name)


def test_a_set_without_captions_has_one_for_each_image(tmp_path):
    vectors = np.random.default_rng(2).normal(size=(1797, 3)).astype(np.float16)
    np.savez(tmp_path / "digits.npz", embeddings=vectors)
    found = data.load(f"embeddings:{tmp_path / 'digits.npz'},digits", "all")
    assert found.captions is not None and found.captions.dtype == np.float32
    np.testing.assert_array_equal(found.captions[:, 0], vectors.astype(np.float32))


GAN = dataclasses.replace(GAME, encoder=Given(), text_features=5)


@pytest.mark.parametrize(
    ("model", "file", "wanted"),
    [
        (GAME, "ordered.npz", {"encoder": Given(), "text_features": 5}),
        (stackgan.Config(image_shape=(16, 16, 3)), "ordered.npz", {"encoder": Given(), "text_features": 5}),
        (PIXELS, "tokens.npz", {"text": GivenContext(5), "text_frozen": True, "caption_length": 3}),
    ],
)
def test_the_encoder_of_a_model_follows_the_data(folder, model, file, wanted):
    image_set = data.load(name_of(folder, file))
    found = texts.of_data(model, image_set.captions)
    assert {name: getattr(found, name) for name in wanted} == wanted
    assert texts.of_data(model, data.load("shapes_captions", "test").captions) is model
    other = data.load(name_of(folder, "tokens.npz" if file == "ordered.npz" else "ordered.npz"))
    with pytest.raises(UserError, match="takes embeddings of shape"):
        texts.of_data(model, other.captions)


UPDATED = [
    (gan_cls, GAN),
    (
        stackgan,
        stackgan.Config(
            image_shape=(16, 16, 3),
            caption_length=24,
            text_features=5,
            encoder=Given(),
            prior=Normal(2),
            code_features=2,
            augmentation=TextAugmentation(),
            generator=StageOneGenerator(4),
            discriminator=GAME.discriminator,
        ),
    ),
    (
        latent_diffusion,
        dataclasses.replace(
            PIXELS,
            image_shape=(16, 16, 3),
            text=GivenContext(5),
            text_frozen=True,
            caption_length=3,
            denoiser=CrossAttentionUNet(32, (1,), 1, attention=(16,), heads=1),
        ),
    ),
]


@pytest.mark.parametrize(("model", "config"), UPDATED)
def test_a_model_learns_and_samples_with_them(model, config):
    """Shapes alone: what is computed is what the models compute of embeddings that an encoder gives."""
    shape = (8, 3, 5) if model is latent_diffusion else (8, 5)
    batch = Captioned(jnp.zeros((8, 16, 16, 3)), jnp.ones(shape))

    def run(key):
        state = model.init(config, key)
        state, metrics = model.update(config, state, batch, key)
        return model.sample(config, state, key, 2), model.sample(config, state, key, 8, batch.captions), metrics

    plain, given, _ = jax.eval_shape(run, jax.random.key(0))
    assert plain.shape == (2, 16, 16, 3) and given.shape == (8, 16, 16, 3)


@pytest.fixture(scope="module")
def run(folder):
    return small_runs.save(GAN, folder / "run", data=name_of(folder, "ordered.npz"))


def test_a_run_draws_of_embeddings_of_a_file_and_refuses_sentences(run, folder, tmp_path):
    argv = [str(run), "--num", "4", "--embeddings", str(folder / "asked.npz")]
    assert sample.main([*argv, "--out", str(tmp_path / "a.npz")]) == 0
    drawn = np.load(tmp_path / "a.npz")["arr_0"]
    _, _, _, state = restore.newest(run)
    assert drawn.shape == (4, 16, 16, 3)
    assert sample.main([str(run), "--num", "4", "--out", str(tmp_path / "b.npz")]) == 0  # of held-out ones
    np.savez(tmp_path / "one.npz", embeddings=VECTORS[1:2])
    assert sample.main([*argv[:3], "--embeddings", str(tmp_path / "one.npz"), "--out", str(tmp_path / "c.npz")]) == 0
    np.testing.assert_array_equal(np.load(tmp_path / "c.npz")["arr_0"][1::2], drawn[1::2])
    message = "this run of gan_cls has no encoder of texts: its captions are embeddings of a file; draw with sample"
    with pytest.raises(UserError, match=message):
        sample.main([str(run), "--text", "red"])
    with pytest.raises(UserError, match=message):
        latents.main([str(run), "texts", "--text", "red", "--text", "blue"])
    assert state.encoder.variables == {}


def test_embeddings_that_do_not_fit_a_run_are_told(run, folder, tmp_path):
    reads = small_runs.save(GAME, tmp_path / "reads")
    for argv, message in (
        ([str(run), "--embeddings", str(folder / "tokens.npz")], r"some of shape \(3, 5\), but the run takes \(5,\)"),
        ([str(run), "--embeddings", str(folder / "asked.npz"), "--text", "a"], "--text and --embeddings are given"),
        ([str(reads), "--embeddings", str(folder / "asked.npz")], "--embeddings is given, but gan_cls takes none"),
    ):
        with pytest.raises(UserError, match=message):
            sample.main(argv)
    experiment, _, _, _ = restore.newest(run)
    assert programs._condition(experiment)[0][1:] == (("num", 5), np.float32)


def test_the_file_may_move(run, folder, tmp_path):
    _, experiment = run_folder.read(run)
    moved = tmp_path / "moved.npz"
    moved.write_bytes((folder / "ordered.npz").read_bytes())
    there = run_data.Place(f"embeddings:{moved},captions:{folder / 'set'}")
    assert run_data.placed(experiment, there).data == there.data


@pytest.mark.exhaustive
def test_a_run_trains_on_them_and_is_exported(folder, tmp_path, capsys):
    short = {"steps": 2, "batch_size": 4, "steps_per_call": 2, "num_samples": 6}
    out = tmp_path / "run"
    experiment = Experiment(GAME, name_of(folder, "ordered.npz"), **short)
    assert runner.train("gan_cls_shapes_captions", experiment, out) == 0
    assert "the frozen part" not in capsys.readouterr().out
    assert runner.train("gan_cls_shapes_captions", dataclasses.replace(experiment, steps=4), out) == 0
    assert run_folder.read(out)[1].model.encoder == Given()
    assert export.main([str(out), "--out", str(tmp_path / "exported")]) == 0
