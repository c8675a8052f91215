"""Pictures of style-based runs put together of their maps: blends, panoramas, larger images, two runs in one."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

from experiments import latents
from experiments.command_line.errors import UserError
from experiments.latents import trained
from experiments.latents.styled import Styled
from jaxgen.gans import stylegan3, styles
from jaxgen.nets.stylegan3 import StyleGAN3Synthesis
from tests.experiments import small_runs
from tests.experiments.latents.test_latents import draw, near, tile
from tests.experiments.latents.test_styled import ws_of


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    return [small_runs.save(small_runs.STYLED, folder / name, seed) for seed, name in enumerate(("base", "tuned"))]


@pytest.fixture(scope="module")
def styled(folders):
    return Styled(trained.load(folders[0]))


def test_blend_shows_both_images_the_blend_of_their_pixels_and_that_of_their_maps(folders, styled, tmp_path, capsys):
    pair = ["--images", "sample:0,1", "--others", "sample:2,3"]
    found = draw(folders[0], "blend", tmp_path / "b.png", *pair)
    ws, others = (ws_of(styled, numbers) for numbers in ("0,1", "2,3"))
    pixels = styled.pixels(ws)[1], styled.pixels(others)[1]
    assert near(tile(found, 1, 0, 2, 4), pixels[0]) and near(tile(found, 1, 1, 2, 4), pixels[1])
    ramp = np.clip((np.arange(8) + 0.5) / 4 - 0.5, 0, 1)[:, None]
    assert near(tile(found, 1, 2, 2, 4), (1 - ramp) * pixels[0].astype(float) + ramp * pixels[1])
    assert "layers 0 to 3 of 0 to 3" in capsys.readouterr().out
    for way in ("horizontal", "vertical", "transfer", "swap"):
        same = draw(folders[0], "blend", tmp_path / f"{way}.png", "--others", "sample:0,1,2", "--way", way)
        assert near(tile(same, 2, 3, 3, 4), tile(same, 2, 0, 3, 4)[..., None])
    upper = draw(folders[0], "blend", tmp_path / "v.png", *pair, "--way", "vertical", "--layers", 3, 3)
    assert near(tile(upper, 1, 3, 2, 4)[:2], pixels[0][:2])
    assert "a box of 4x4 pixels from row 2 and column 2" in capsys.readouterr().out


def test_a_whole_patch_swapped_is_the_mixture_of_styles(folders, styled, tmp_path, capsys):
    options = ["--images", "sample:0", "--others", "sample:2", "--way", "swap", "--box", 0, 0, 8, 8, "--layer", 1]
    found = draw(folders[0], "blend", tmp_path / "s.png", *options)
    ws, others = (jnp.asarray(ws_of(styled, number)) for number in "02")
    mixed = styles.mix(others, ws, 2)
    assert near(tile(found, 0, 3, 1, 4), styled.pixels(np.asarray(mixed))[0])
    assert "the maps of 8x8 after layer 1 in a box of 8x8 pixels" in capsys.readouterr().out


def test_panorama_is_one_wide_picture(folders, styled, tmp_path, capsys):
    found = draw(folders[0], "panorama", tmp_path / "p.png", "--images", "sample:0,1,2", "--overlap", 2)
    assert found.shape == (8 * 16, 20 * 16, 3)
    assert "3 images, neighbours overlap in 2 pixels: 20x8" in capsys.readouterr().out
    same = draw(folders[0], "panorama", tmp_path / "s.png", "--images", "sample:0,0", "--overlap", 8)
    assert near(same[::16, ::16, 0].astype(int), styled.pixels(ws_of(styled, "0"))[0])


@pytest.mark.parametrize("side", ["width", "height"])
def test_stretch_shows_larger_images_beside_the_image(folders, styled, tmp_path, capsys, side):
    path = tmp_path / "s.png"
    found = draw(folders[0], "stretch", path, "--images", "sample:0", "--layer", 3, "--side", side)
    assert "the maps of 8x8 after layer 3, twice their" in capsys.readouterr().out
    height, width = (32, 64) if side == "width" else (64, 32)
    image = styled.pixels(ws_of(styled, "0"))[0]
    left = found.shape[1] - 5 * (width + 2) - 2 + 2
    stretched = found[-height - 2 : -2, left + width + 2 : left + 2 * width + 2][::4, ::4, 0].astype(int)
    assert near(stretched, np.repeat(image, 2, axis=1 if side == "width" else 0))
    draw(folders[0], "stretch", path, "--side", side)
    assert "the maps of 8x8 after layer 2" in capsys.readouterr().out


def test_toonify_goes_from_run_to_run(folders, styled, tmp_path, capsys):
    found = draw(folders[0], "toonify", tmp_path / "t.png", "--tuned", folders[1], "--images", "sample:0,1")
    ws = ws_of(styled, "0,1")
    other = Styled(trained.load(folders[1]))
    assert near(tile(found, 1, 0, 2, 5), styled.pixels(ws)[1]) and near(tile(found, 1, 4, 2, 5), other.pixels(ws)[1])
    assert not near(tile(found, 1, 2, 2, 5), styled.pixels(ws)[1])
    assert "of 4 layers, the first 1 to 3 of" in capsys.readouterr().out
    same = draw(folders[0], "toonify", tmp_path / "s.png", "--tuned", folders[0], "--layers", 2, 0)
    for column in range(4):
        assert near(tile(same, 3, column, 4, 4), styled.pixels(ws_of(styled, "3"))[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("blend --images sample:0", "--images are 1 images and --others 3; name equally many"),
        (
            "blend --box 0 0 9 4",
            "--box is .0, 0, 9, 4., but must be top, left, height, width of a part of the 8x8 image",
        ),
        ("blend --way swap --box 0 0 1 8 --layer 0", "--box has a side of 1 pixels, but a place after layer 0 has 2"),
        ("blend --way swap --layer 4", "--layer has 4, but the layers are 0 to 3; choose of these"),
        ("blend --layers 2 1", "--layers is 2 1, but must be a first and a last layer"),
        ("panorama --images sample:1", "--images are 1, but must be 2 to 16 images, from left to right"),
        ("panorama --overlap 3", r"--overlap is 3, but must be a multiple of 2 in \[2, 8\]"),
        ("stretch --layer -1", "--layer has -1, but the layers are 0 to 3"),
        ("toonify", "--tuned is missing; name the folder of a run of the same network"),
    ],
)
def test_what_cannot_be_drawn_is_said(options, message, folders, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=message):
        latents.main([str(folders[0]), *options.split()])


def test_runs_of_other_networks_are_refused(folders, tmp_path):
    gan = small_runs.save(small_runs.GAN, tmp_path / "gan")
    for action in ("blend", "panorama", "stretch", "toonify"):
        with pytest.raises(UserError, match="wgan_gp has no styles; use a run of a style-based model"):
            latents.main([str(gan), action])
    wider = dataclasses.replace(small_runs.STYLED, synthesis=small_runs.STYLED.synthesis.clone(channel_max=1))
    other = small_runs.save(wider, tmp_path / "wider")
    with pytest.raises(UserError, match=r"wider has another synthesis than .*; use runs of one network"):
        latents.main([str(folders[0]), "toonify", "--tuned", str(other)])
    with pytest.raises(UserError, match="gan has another synthesis than"):
        latents.main([str(folders[0]), "toonify", "--tuned", str(gan)])


def test_maps_that_reach_beyond_the_image_are_refused(tmp_path):
    config = stylegan3.Config(
        image_shape=(16, 16, 1),
        prior=small_runs.STYLED.prior,
        mapping=small_runs.STYLED.mapping,
        synthesis=StyleGAN3Synthesis(32, 2, num_layers=2, num_critical=1, margin=1),
        discriminator=small_runs.STYLED.discriminator,
    )
    run = small_runs.save(config, tmp_path / "three")
    with pytest.raises(UserError, match="stylegan3 has maps that are no parts of its image; use a run of StyleGAN 1"):
        latents.main([str(run), "blend"])
