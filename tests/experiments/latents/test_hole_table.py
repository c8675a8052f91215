"""A table of holes that several runs fill."""

import dataclasses
import json

import numpy as np
import pytest

from experiments import latents
from experiments.command_line.errors import UserError
from experiments.evaluation import holes as baseline
from experiments.latents import filling, hole_table, holes, searching, trained
from jaxgen.nets.mlp import MLP
from jaxgen.nets.partial_convolution import PartialUNet
from jaxgen.nets.vgg16 import VGG16Maps
from jaxgen.translation import context_encoder, partial_conv
from jaxgen.translation.masks import RandomBlocks
from tests.experiments import small_runs
from tests.experiments.latents.test_latents import draw, near, tile
from tests.experiments.pictures_on_disk import npz, write_all
from tests.experiments.small_runs import GAN, SYMBOLS, WIDE

SHAPE = (8, 8, 3)
IMAGES = np.random.default_rng(0).integers(0, 256, (60, *SHAPE), np.uint8)
TEST = IMAGES[40:]
FEW = ("--starts", 1, "--steps", 3)

OWN_HOLE = context_encoder.Config(image_shape=SHAPE, side=4, overlap=1, generator=MLP((4,)), discriminator=MLP((4,)))
ANY_HOLE = partial_conv.Config(
    image_shape=SHAPE,
    masks=RandomBlocks(2, 2, 4),
    generator=PartialUNet(channels=2, downs=2),
    features=VGG16Maps(channels=2, convolutions=(1, 1)),
)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    write_all(folder, {"a.npz": npz(train=IMAGES[:40], test=TEST)})
    plain = {name: dataclasses.replace(one, image_shape=SHAPE) for name, one in (("gan", GAN), ("vae", WIDE))}
    denoiser = dataclasses.replace(small_runs.DENOISER, image_shape=SHAPE, num_classes=0)
    models = plain | {"own": OWN_HOLE, "any": ANY_HOLE, "ddpm": denoiser}
    return {name: small_runs.save(one, folder / name, data=f"npz:{folder}/a.npz") for name, one in models.items()}


def test_the_table_has_each_hole_and_what_fills_it(folders, tmp_path, capsys):
    beside = [str(folders[name]) for name in ("vae", "own", "any", "ddpm")]
    found = draw(folders["gan"], "inpaint", tmp_path / "t.png", "--table", 5, "--beside", *beside, *FEW)
    table = json.loads((tmp_path / "t.json").read_text())
    assert table["num"] == 5 and table["data"].endswith("a.npz") and table["search"]["steps"] == 3
    rows = {row["mask"]: row for row in table["rows"]}
    assert list(rows) == [*holes.NAMES, "of own"] and rows["of own"]["missing"] == 4 / 64
    fills = rows["random"]["fills"]
    assert list(fills) == ["gan", "vae", "own", "any", "ddpm", hole_table.MEAN]
    assert fills["own"] == {"reason": "fills the hole that it was trained with alone"}
    pixels = TEST[::4]
    masks, _ = holes.masks("random", 5, SHAPE, 0)
    plain = searching.decibels(baseline.plain(pixels, masks), pixels)
    cell = fills[hole_table.MEAN]["psnr"]
    assert cell["value"] == pytest.approx(plain.mean(), rel=1e-5) and cell["num"] == 5
    assert cell["low"] < cell["value"] < cell["high"]
    network = filling.by_network(trained.load(folders["any"]), 0)(pixels, masks)
    known = masks[..., 0] > 0
    np.testing.assert_array_equal(network[known], pixels[known])
    wanted = filling.hole_decibels(network, pixels, masks).mean()
    assert fills["any"]["hole_psnr"]["value"] == pytest.approx(wanted, rel=1e-5)
    assert near(tile(found, 4, 0, 10, 8), pixels[0]) and near(tile(found, 5, 5, 10, 8), network[1])
    assert (tile(found, 4, 4, 10, 8) == 255).all()  # the context encoder's place
    printed = capsys.readouterr().out
    assert "a.npz; PSNR in dB, in brackets intervals of 95 %" in printed
    assert (
        f"random   {rows['random']['missing']:.0%}" in printed
        and "of own" in printed
        and f"the table in {tmp_path / 't.json'}" in printed
    )


def test_a_network_with_a_hole_of_its_own_is_known_by_it(folders):
    pixels = TEST[:3]
    own = filling.own_holes(trained.load(folders["own"]), pixels)
    assert own is not None and own.shape == (3, 8, 8, 1) and (own == 0).sum() == 3 * 4
    for name in ("any", "gan"):
        assert filling.own_holes(trained.load(folders[name]), pixels) is None


def test_every_image_is_counted_once(folders, monkeypatch):
    """Of those that a run fills: not the mean, nor holes that a network does not fill."""
    run, moves = trained.load(folders["any"]), []
    monkeypatch.setattr(filling, "CHUNK", 2)
    pixels = TEST[:5]
    masks, _ = holes.masks("half", 5, SHAPE, 0)
    filling.by_network(run, 0, moves.append)(pixels, masks)
    assert moves == [2, 2, 1]


def test_what_does_not_fit_is_refused(folders, tmp_path):
    wider = dataclasses.replace(GAN, image_shape=(16, 16, 1))
    other = small_runs.save(wider, tmp_path / "wider")
    symbols = small_runs.save(SYMBOLS, tmp_path / "symbols")
    for options, message in (
        (["--table", "300"], "--table is 300, but 20 images are held out; ask for fewer"),
        (["--table", "5", "--beside", str(other)], r"wider makes images \(16, 16, 1\), but .*; name another run"),
        (["--table", "5", "--beside", str(folders["gan"])], "--beside names two runs called gan; name each once"),
        (["--table", "5", "--beside", str(symbols)], "vq_vae makes no image from a latent vector alone"),
    ):
        with pytest.raises(UserError, match=message):
            latents.main([str(folders["gan"]), "inpaint", *options])
    with pytest.raises(SystemExit):
        latents.main([str(folders["gan"]), "inpaint", "--beside", str(other)])
