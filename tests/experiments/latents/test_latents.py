"""The commands that look into the latent space of a run."""

import contextlib
import itertools
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import typing

import numpy as np
import pytest
from PIL import Image

from experiments import data, latents
from experiments.command_line.errors import UserError
from experiments.latents import own, sources, trained
from experiments.latents.sources import Words
from experiments.models import sampling
from experiments.runs.experiment import Experiment
from tests.experiments import small_runs
from tests.experiments.pictures_on_disk import encoded, pixels

ROOT = pathlib.Path(__file__).parents[3]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    models = {
        "gan": small_runs.GAN,
        "vae": small_runs.WIDE,
        "cvae": small_runs.PLANE,
        "vq_vae": small_runs.SYMBOLS,
        "ddpm": small_runs.DENOISER,
    }
    return {name: small_runs.save(model, folder / name) for name, model in models.items()}


@pytest.fixture(scope="module")
def loaded(runs):
    return {name: trained.load(folder) for name, folder in runs.items()}


@pytest.fixture
def photos(tmp_path):
    """Two pictures of different sizes, one in colours."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").write_bytes(encoded(pixels(20, 30, 1, 0)))
    (tmp_path / "photos" / "b.jpg").write_bytes(encoded(pixels(16, 16, 3, 1), "JPEG"))
    return tmp_path / "photos"


def draw(folder, action, out, *options):
    assert latents.main([str(folder), action, "--out", str(out), *map(str, options)]) == 0
    with Image.open(out) as picture:
        return np.asarray(picture.convert("RGB"))


def arrays(path):
    """All arrays of an .npz."""
    with np.load(path) as file:
        return dict(file)


def tile(picture, row, column, rows, columns, side=40):
    """The tile of a sheet of 8x8 images, as 8x8 pixels; the grid is in the lower right."""
    height, width = rows * (side + 2) + 2, columns * (side + 2) + 2
    top, left = picture.shape[0] - height + 2 + row * (side + 2), picture.shape[1] - width + 2 + column * (side + 2)
    return picture[top : top + side : side // 8, left : left + side : side // 8, 0].astype(int)


def near(tile, pixels):
    return np.abs(tile - np.asarray(pixels)[..., 0].astype(int)).max() <= 1


def test_samples_are_numbered_as_in_the_picture_of_sample(runs, loaded):
    for name in ("gan", "cvae"):
        _, drawn = sampling.draw(runs[name], sampling.BLOCK + 3, seed=5)
        points, _ = sources.points(Words(loaded[name], seed=5), ["sample:0,7", f"sample:{sampling.BLOCK + 2}"], 1)
        found = loaded[name].decode(points.latents, points.labels)
        wanted = drawn[[0, 7, sampling.BLOCK + 2]]
        assert np.abs(found.astype(int) - wanted).max() <= 1
        assert points.names == ("sample 0", "sample 7", f"sample {sampling.BLOCK + 2}")


def test_words_name_classes_held_out_images_and_files(loaded, photos):
    test = data.load("digits", "test")
    words = Words(loaded["vae"])
    (of_class, _), (some, _), (mine, lines) = (
        sources.points(words, names, 2) for names in (["7"], ["test:12,40"], [str(photos)])
    )
    first = np.flatnonzero(test.labels == 7)[:2]
    np.testing.assert_array_equal(of_class.originals, test.batch(first))
    np.testing.assert_array_equal(some.originals, test.batch([12, 40]))
    assert mine.names == ("a", "b") and mine.originals.shape == (2, 8, 8, 1)
    assert lines == [f"{photos}: 2 pictures, resized from 16x16, 30x20 to 8x8, grey"]
    for points in (of_class, some, mine):
        np.testing.assert_allclose(points.latents, loaded["vae"].encode(points.originals), atol=1e-5)
        assert points.labels is None


def test_a_conditional_model_is_told_each_images_class_or_the_one_asked_for(loaded, photos):
    test, run = data.load("digits", "test"), loaded["cvae"]
    points, _ = sources.points(Words(run), ["7", "test:12"], 1)
    np.testing.assert_array_equal(points.labels, [7, test.labels[12]])
    told, _ = sources.points(Words(run, label=3), ["test:12", str(photos / "a.png"), "sample:4"], 1)
    np.testing.assert_array_equal(told.labels, [3, 3, 3])
    assert not np.allclose(told.latents[0], points.latents[1])
    drawn, _ = sources.points(Words(run), ["sample:4,13"], 1)
    np.testing.assert_array_equal(drawn.labels, [4, 3])


def test_a_class_comes_before_a_file_of_its_name_and_a_path_says_otherwise(loaded, photos, monkeypatch):
    monkeypatch.chdir(photos)
    (photos / "7").write_bytes((photos / "a.png").read_bytes())
    words = Words(loaded["vae"])
    assert sources.points(words, ["7"], 1)[0].originals.shape[0] == 1
    _, lines = sources.points(words, ["./7"], 1)
    assert lines and "1 picture, resized from 30x20" in lines[0]


def test_own_pictures_are_cut_in_the_middle_resized_and_inverted(tmp_path):
    wide = np.zeros((10, 30, 3), np.uint8)
    wide[:, 10:20] = 200
    path = tmp_path / "wide.png"
    Image.fromarray(wide).save(path)
    _, found, line = own.load(path, (5, 5, 1))
    assert found.shape == (1, 5, 5, 1) and (abs(found.astype(int) - 200) < 15).all()
    assert line == f"{path}: 1 picture, resized from 30x10 to 5x5, grey"
    _, inverted, line = own.load(path, (5, 5, 3), invert=True)
    assert (abs(inverted.astype(int) - 55) < 15).all() and line.endswith("RGB, inverted")
    _, kept, line = own.load(path, (10, 30, 3))
    np.testing.assert_array_equal(kept[0], wide)
    assert "taken as 30x10" in line
    _, tall, _ = own.load(path, (10, 5, 3))
    assert tall.shape == (1, 10, 5, 3) and (abs(tall.astype(int) - 200) < 15).all()


def test_interpolate_goes_from_image_to_image_on_lines_and_circles(runs, loaded, tmp_path):
    found = draw(runs["gan"], "interpolate", tmp_path / "i.png", "--images", "sample:0,5,9", "--steps", 4)
    _, drawn = sampling.draw(runs["gan"], 10, seed=0)
    for row, (start, end) in enumerate(((0, 5), (0, 5), (5, 9), (5, 9))):
        assert near(tile(found, row, 0, 4, 5), drawn[start]) and near(tile(found, row, 4, 4, 5), drawn[end])
    latents = loaded["gan"].draw(np.array([0, 5]), 0)
    (middle,) = loaded["gan"].decode(latents.mean(axis=0, keepdims=True))
    assert near(tile(found, 0, 2, 4, 5), middle)
    length = np.linalg.norm(latents, axis=1).mean()
    turned = latents / np.linalg.norm(latents, axis=1, keepdims=True)
    (middle,) = loaded["gan"].decode((turned.sum(0) / np.linalg.norm(turned.sum(0)) * length)[None].astype(np.float32))
    assert near(tile(found, 1, 2, 4, 5), middle)


def test_interpolate_shows_originals_at_both_ends_and_closes(runs, photos, tmp_path):
    options = ["--images", "3", photos / "a.png", "--steps", 2, "--way", "linear", "--closed"]
    found = draw(runs["vae"], "interpolate", tmp_path / "i.png", *options)
    test = data.load("digits", "test")
    three = test.batch([np.flatnonzero(test.labels == 3)[0]])[0]
    _, (mine,), _ = own.load(photos / "a.png", (8, 8, 1))
    for row, (start, end) in enumerate(((three, mine), (mine, three))):
        assert near(tile(found, row, 0, 2, 5), start) and near(tile(found, row, 4, 2, 5), end)


def test_a_gif_goes_there_and_back_or_round(runs, tmp_path):
    options = ["--images", "sample:0,1", "--steps", 6]
    for name, more, num in (("open", [], 7 + 5), ("closed", ["--closed"], 12)):
        path = tmp_path / f"{name}.gif"
        draw(runs["gan"], "interpolate", path, *options, *more)
        with Image.open(path) as animation:
            assert animation.n_frames == num and animation.info["loop"] == 0
            assert animation.size[0] == 2 * 114 + 2


def test_traverse_moves_one_coordinate_a_row(runs, loaded, tmp_path):
    options = ["--axes", 2, 0, "--num", 3, "--range", -2, 2, "--images", "sample:4"]
    found = draw(runs["gan"], "traverse", tmp_path / "t.png", *options)
    base = loaded["gan"].draw(np.array([4]), 0)[0]
    for row, axis in enumerate((2, 0)):
        for column, value in enumerate((-2.0, 0.0, 2.0)):
            moved = base.copy()
            moved[axis] = value
            assert near(tile(found, row, column, 2, 3), loaded["gan"].decode(moved[None])[0])


def test_traverse_takes_the_coordinates_that_vary_most_at_the_quantiles_of_the_prior(runs, loaded, tmp_path):
    found = draw(runs["vae"], "traverse", tmp_path / "t.png", "--num", 3)
    test = data.load("digits", "test")
    spread = loaded["vae"].encode(test.batch(np.arange(297))).std(axis=0)
    moved = np.zeros((1, 12), np.float32)
    moved[0, spread.argmax()] = -0.9674216
    assert near(tile(found, 0, 0, 10, 3), loaded["vae"].decode(moved)[0])
    assert near(tile(found, 3, 1, 10, 3), loaded["vae"].decode(np.zeros((1, 12), np.float32))[0])


def test_arithmetic_adds_the_difference_of_means(runs, loaded, tmp_path, capsys):
    found = draw(runs["vae"], "arithmetic", tmp_path / "a.png", "--plus", 3, "--minus", 5, "--strengths", 0, 1)
    test, run = data.load("digits", "test"), loaded["vae"]
    codes = run.encode(test.batch(np.arange(297)))
    three, five = (codes[test.labels == label] for label in (3, 5))
    starts = np.concatenate([five[:6], five.mean(0, keepdims=True)])
    for row, start in enumerate(starts):
        for column, strength in enumerate((0, 1)):
            moved = start + strength * (three.mean(0) - five.mean(0))
            assert near(tile(found, row, column, 7, 2), run.decode(moved[None])[0])
    printed = capsys.readouterr().out
    assert f"plus 3: the mean of {len(three)} latent vectors\nminus 5: the mean of {len(five)}" in printed


def test_arithmetic_of_draws_is_a_minus_b_plus_c(runs, loaded, tmp_path):
    groups = ["--plus", "sample:1,2", "--minus", "sample:3", "--images", "sample:4", "--strengths", 1]
    found = draw(runs["gan"], "arithmetic", tmp_path / "a.png", *groups)
    one, two, three, four = loaded["gan"].draw(np.array([1, 2, 3, 4]), 0)
    wanted = loaded["gan"].decode(((one + two) / 2 - three + four)[None])[0]
    assert near(tile(found, 0, 0, 1, 1), wanted)


def test_reconstruct_shows_own_images_above_what_is_decoded(runs, loaded, photos, tmp_path, capsys):
    found = draw(runs["vae"], "reconstruct", tmp_path / "r.png", "--images", photos, "--invert")
    _, mine, _ = own.load(photos, (8, 8, 1), invert=True)
    decoded = loaded["vae"].decode(loaded["vae"].encode(mine))
    for column in range(2):
        assert near(tile(found, 0, column, 2, 2, side=32), mine[column])
        assert near(tile(found, 1, column, 2, 2, side=32), decoded[column])
    error = np.mean((mine / 255.0 - decoded / 255.0) ** 2)
    assert f"2 images, mean squared error {error:.4f}" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["vae", "cvae"])
def test_draws_of_the_posterior_stand_beside_their_image(runs, name, tmp_path, capsys):
    """They differ, and are the same again for the same seed."""
    out, test = tmp_path / "d.png", data.load("digits", "test")
    options = ["--images", "test:1,2", "--draws", "3", "--seed", "5"]
    found = draw(runs[name], "reconstruct", out, *options)
    assert "3 draws of each image, whose pixels have a standard deviation of 0." in capsys.readouterr().out
    for row, image in enumerate(test.batch([1, 2])):
        first, *drawn = (tile(found, row, column, 2, 4, side=32) for column in range(4))
        assert near(first, image)
        assert all((one != other).any() for one, other in itertools.combinations([first, *drawn], 2))
    np.testing.assert_array_equal(draw(runs[name], "reconstruct", out, *options), found)
    options[-1] = "6"
    assert (draw(runs[name], "reconstruct", out, *options) != found).any()


def test_a_model_of_symbols_reconstructs_too(runs, tmp_path):
    test = data.load("digits", "test")
    found = draw(runs["vq_vae"], "reconstruct", tmp_path / "r.png", "--images", "test:1,2", "4", "--num", "1")
    assert near(tile(found, 0, 0, 2, 3, side=32), test.batch([1])[0])


def test_embed_says_what_its_axes_explain_and_marks_own_images(runs, photos, tmp_path, capsys):
    plain = draw(runs["vae"], "embed", tmp_path / "e.png")
    printed = capsys.readouterr().out
    assert "297 held-out images of digits, codes of 12 numbers, across: first principal component (" in printed
    marked = draw(runs["vae"], "embed", tmp_path / "m.png", "--images", photos)
    black = [(picture.max(axis=2) < 40).sum() for picture in (plain, marked)]
    assert black[1] > black[0] + 50
    draw(runs["cvae"], "embed", tmp_path / "c.png", "--num", 50)
    assert "across: z1, upwards: z2" in capsys.readouterr().out


def test_grid_of_one_class_and_of_all(runs, tmp_path):
    assert draw(runs["cvae"], "grid", tmp_path / "g.png", "--label", 3, "--num", 4).shape == (128, 128, 3)
    assert draw(runs["cvae"], "grid", tmp_path / "h.png", "--num", 6).shape[1] == 5 * (64 + 8) + 8


def test_without_out_the_picture_lies_in_the_run(runs, capsys):
    assert latents.main([str(runs["cvae"]), "grid", "--num", "2"]) == 0
    assert (runs["cvae"] / "grid.png").exists()
    assert f"wrote {runs['cvae'] / 'grid.png'}, from step 2 of" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("run", "options", "message"),
    [
        ("gan", "interpolate --images 3 8", r"wgan_gp has no encoder, so '3' has no place .*sample:0,5,9"),
        ("gan", "reconstruct", "wgan_gp has no encoder to latent vectors"),
        ("gan", "embed", "wgan_gp has no encoder to latent vectors"),
        ("gan", "grid", "vectors of 2 numbers, but those of this wgan_gp have 3"),
        ("gan", "traverse --axes 3", "--axes has 3, but wgan_gp has coordinates 0 to 2"),
        ("gan", "traverse --images sample:1,2", "names 2 images; name one"),
        ("gan", "traverse --label 3", "--label is 3, but wgan_gp is not told classes"),
        ("gan", "interpolate --images sample:1", "names one image; name two or more"),
        ("gan", "interpolate --images sample:a", "'sample:a' is not understood; give numbers"),
        ("gan", "interpolate --images sample:-1", r"'sample:-1' has numbers that are not in \[0, 2\^31\)"),
        ("gan", "arithmetic --plus sample:1", "name groups with --plus and --minus"),
        ("gan", "traverse --out t.jpg", r"must end in \.png or \.gif"),
        ("vae", "embed --out e.gif", r"must end in \.png$"),
        ("vae", "interpolate --images 3 cat", "'cat' is neither a file nor a class of digits; there are: 0, 1"),
        ("vae", "interpolate --images 3 test:297", "there is no test:297; digits has held out 0 to 296"),
        ("vq_vae", "reconstruct --draws 2", "vq_vae has no posterior of latents to draw from; leave --draws out"),
        ("vae", "reconstruct --images sample:1", "sample:1 draws latent vectors, which have no original"),
        ("cvae", "grid --label ten", "--label 'ten' is no class; there are: 0, 1"),
        ("vq_vae", "traverse", "vq_vae makes no image from a latent vector alone"),
        ("vae", "dance", "'dance' is no action; there are: interpolate, traverse"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(runs, run, options, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=message) as error:
        latents.main([str(runs[run]), *options.split()])
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


def test_files_that_are_no_pictures_are_named(runs, photos, tmp_path):
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "empty").mkdir()
    for name, message in (("text.png", "text.png is no picture"), ("empty", "empty holds no pictures")):
        with pytest.raises(UserError, match=message):
            latents.main([str(runs["vae"]), "reconstruct", "--images", str(tmp_path / name)])
    with pytest.raises(UserError, match=r"say with --label what .* shows"):
        latents.main([str(runs["cvae"]), "embed", "--images", str(photos)])
    with pytest.raises(UserError, match="cannot write"):
        latents.main([str(runs["gan"]), "traverse", "--out", str(tmp_path / "text.png" / "t.png")])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("traverse --num 1", "--num is 1, but must be in [2, 500]"),
        ("interpolate --stepz 3", "--steps"),
        ("arithmetic --strengths nan", "--strengths is (nan,), but must be finite"),
        ("traverse --seed -1", "--seed is -1, but must be in [0, 2^32)"),
    ],
)
def test_a_wrong_option_exits_with_2_and_says_what_is_right(options, message, capsys):
    with pytest.raises(SystemExit) as exit_:
        latents.main(["nowhere", *options.split()])
    assert exit_.value.code == 2
    assert message in " ".join(capsys.readouterr().err.replace("│", " ").split())


@pytest.mark.parametrize("argv", [[], ["--help"], ["somewhere"], ["somewhere", "--help"]])
def test_without_an_action_all_are_listed(argv, capsys):
    assert latents.main(argv) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("usage: python -m experiments.latents RUN ACTION")
    assert all(action in printed for action in latents.ACTIONS)


@pytest.mark.parametrize("action", latents.ACTIONS)
def test_help_explains_every_option(action, capsys):
    with pytest.raises(SystemExit) as exit_:
        latents.main(["somewhere", action, "--help"])
    assert exit_.value.code == 0
    printed = capsys.readouterr().out
    with contextlib.suppress(AttributeError):
        for name in __import__(f"experiments.latents.{action}", fromlist=["Options"]).Options.__dataclass_fields__:
            assert f"--{name.replace('_', '-')}" in printed


def test_a_run_that_is_none_is_named():
    with pytest.raises(UserError, match="nowhere is not the folder of a run"):
        latents.main(["nowhere", "traverse"])


def test_the_command_runs_as_a_module():
    command = [sys.executable, "-m", "experiments.latents", "nowhere", "embed"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 2
    assert done.stderr == "error: nowhere is not the folder of a run: it has no config.json\n"


DOCS = (ROOT / "docs" / "latents.md").read_text(encoding="utf-8")
STYLES = (ROOT / "docs" / "styles.md").read_text(encoding="utf-8")

OF_STYLES = {"noise", "mix", "blend", "panorama", "stretch", "toonify", "sticking"}
"""Actions that docs/styles.md shows."""

ELSEWHERE = OF_STYLES | {"texts", "style"}
"""Actions that the page of a model shows."""


WITHOUT_FIGURE = {"video"}
"""Actions of docs/latents.md of which no picture is shown."""


@pytest.mark.exhaustive
def test_every_command_of_the_page_of_styles_runs(tmp_path, monkeypatch):
    run = small_runs.save(small_runs.STYLED, tmp_path / "run")
    monkeypatch.chdir(tmp_path)
    commands = re.findall(r"^python -m experiments\.latents runs/stylegan2_anime (.*)$", STYLES, re.MULTILINE)
    assert {line.split()[0] for line in commands} == OF_STYLES
    for line in commands:
        assert latents.main([str(run), *line.replace("runs/stylegan2_anime", str(run)).split()]) == 0
        assert pathlib.Path(line.split()[-1]).stat().st_size > 100


@pytest.mark.exhaustive
def test_every_command_of_the_documentation_runs(runs, photos, tmp_path, monkeypatch):
    stand_ins = {"vae_digits": "vae", "vae_2d_mnist": "cvae", "wgan_gp_digits": "gan", "ddpm_fashion_mnist": "ddpm"}
    commands = re.findall(r"^python -m experiments\.latents runs/(\w+) (.*)$", DOCS, re.MULTILINE)
    assert {line.split()[0] for _, line in commands} == set(latents.ACTIONS) - ELSEWHERE
    for name, line in commands:
        monkeypatch.chdir(photos.parent)
        (photos.parent / "docs" / "figures").mkdir(parents=True, exist_ok=True)
        for given in ("latents_layer.png", "sketch_shirt.png", "sketch_boot.png"):
            shutil.copy(ROOT / "docs" / "figures" / given, photos.parent / "docs" / "figures")
        options = shlex.split(line)
        if options[0] == "directions" and "--num" in options:
            options[options.index("--num") + 1] = "3"  # the stand-in has no more
        if "--sampler.steps" in options:
            options[options.index("--sampler.steps") + 1] = "3"  # nor as many levels
        if options[0] == "sdedit":
            options += ["--label", "3"]
        more = ["--label", "3"] if "photos" in options and stand_ins[name] == "cvae" else []
        assert latents.main([str(runs[stand_ins[name]]), *options, *more]) == 0
        out = photos.parent / options[options.index("--out") + 1]
        with Image.open(out) as picture:
            assert picture.format == out.suffix[1:].upper()


def test_the_documentation_has_every_picture_and_its_figures_are_small():
    kinds = typing.get_args(typing.get_args(typing.get_type_hints(Experiment)["pictures"])[0])
    for kind in kinds:
        assert f"| `{kind}` | `{kind}/` |" in DOCS
    figures = re.findall(r"!\[.+\]\((figures/\w+\.png)\)", DOCS)
    assert len(figures) == len(set(latents.ACTIONS) - ELSEWHERE - WITHOUT_FIGURE)
    for figure in figures:
        assert (ROOT / "docs" / figure).stat().st_size < 60_000
        assert f"--out docs/{figure}\n" in DOCS


def test_the_python_example_runs():
    names = {}
    for example in re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL):
        exec(compile(example, "docs/latents.md", "exec"), names)
    assert names["way"].shape == (40, 64) and names["places"].shape == (40, 2) and names["codes"].shape == (400, 2)
    assert names["found"].points.shape == (2, 4) and names["directions"].axes.shape == (2, 4)
    assert names["edited"].latents.shape == (4, 2, 4) and names["changed"].shape == (2, 8, 8, 1)
    np.testing.assert_array_equal(names["seamless"][:, 0], names["images"][:, 0])
