"""The strip at the top of README, and the thumbnails of its table, from the pictures in this folder.

python docs/figures/compose.py

Needs Pillow. A picture is a grid of tiles with a line of two pixels around each.
"""

import pathlib
from dataclasses import dataclass

from PIL import Image

HERE = pathlib.Path(__file__).parent
LINE = 2  # pixels between tiles
THUMBNAIL = 96  # pixels of a side


@dataclass(frozen=True)
class Grid:
    """A picture of equal square tiles."""

    name: str  # of the file, without its suffix
    tile: int  # pixels of a side
    top: int = 0  # pixels above the grid, for captions
    left: int = 0  # pixels beside it, for names of rows

    def tile_at(self, row: int, column: int) -> Image.Image:
        """The tile, in colour."""
        left, upper = self.left + LINE + column * (self.tile + LINE), self.top + LINE + row * (self.tile + LINE)
        picture = Image.open(HERE / f"{self.name}.png").convert("RGB")
        return picture.crop((left, upper, left + self.tile, upper + self.tile))


LAKES, PHOTOS, SPECTRAL = Grid("dcgan64_lakeside", 64), Grid("wgan_gp_cifar10", 32), Grid("sngan_cifar10", 32)
BICYCLES, DIGITS, SHEEP = Grid("wgan_bicycle", 32), Grid("acgan_mnist", 56, top=19), Grid("wgan_gp_sheep", 56)
CLOTHES, WARDROBE = Grid("cgan_fashion_mnist", 56), Grid("edm_fashion_mnist", 56, top=71)

STRIP = [
    (104, [(LAKES, *place) for place in ((0, 0), (0, 2), (1, 3), (2, 0), (2, 1), (1, 0), (2, 3), (1, 2))]),
    (
        69,
        [(PHOTOS, *place) for place in ((0, 0), (0, 3), (2, 3), (2, 7))]
        + [(SPECTRAL, *place) for place in ((5, 0), (5, 2), (2, 7), (4, 2))]
        + [(BICYCLES, *place) for place in ((0, 0), (2, 2), (2, 4), (0, 4))],
    ),
    (
        51,
        [(DIGITS, 4, column) for column in range(10)]
        + [(SHEEP, *place) for place in ((2, 0), (2, 2), (4, 0))]
        + [(WARDROBE, *place) for place in ((0, 4), (4, 8), (3, 9))],
    ),
]
"""Rows of the strip: the side of a tile, and the tiles from left to right."""

THUMBNAILS = {
    "ae": (Grid("ae_digits", 32), 3),
    "aae": (Grid("aae_digits", 32), 3),
    "wae": (Grid("wae_digits", 32), 3),
    "vae": (Grid("vae_mnist", 56), 3),
    "cvae": (Grid("cvae_mnist", 56, top=19), 3),
    "gan": (LAKES, 2),
    "wgan": (BICYCLES, 3),
    "wgan_gp": (PHOTOS, 3),
    "cgan": (CLOTHES, 3),
    "acgan": (DIGITS, 3),
    "ddpm": (Grid("ddpm_digits", 32), 3),
    "improved_ddpm": (Grid("improved_ddpm_digits", 32), 3),
    "guided_ddpm": (Grid("guided_ddpm_digits", 32, top=18), 3),
    "edm": (WARDROBE, 3),
    "flow_matching": (Grid("flow_mnist", 56), 3),
    "vdm": (Grid("vdm_mnist", 56), 3),
    "infogan": (Grid("infogan_mnist", 56), 3),
    "hierarchical_vae": (Grid("hierarchical_vae_mnist", 56), 3),
    "vqgan": (Grid("vqgan_fashion_mnist", 56), 3),
    "joint_vae": (Grid("joint_vae_mnist", 56), 3),
    "flow_vae": (Grid("flow_vae_mnist", 56), 3),
    "vamp_vae": (Grid("vamp_vae_mnist", 56), 3),
    "wae_gan": (Grid("wae_gan_mnist", 56), 3),
    "consistency": (Grid("consistency_mnist", 56), 3),
    "m2": (Grid("m2_mnist", 56), 3),
    "mean_flow": (Grid("mean_flow_mnist", 56, top=18), 3),
    "vq_vae_2": (Grid("vq_vae_2_mnist", 32), 3),
    "vq_vae": (Grid("vq_vae_digits", 32), 3),
    "ac_wgan_gp": (Grid("ac_wgan_gp_digits", 32, top=18), 3),
    "ali": (Grid("bigan_mnist", 56), 3),
    "lapgan": (Grid("lapgan_anime", 64), 2),
    "bgan": (Grid("bgan_binary_mnist", 56), 3),
    "clustergan": (Grid("clustergan_mnist", 56), 3),
    "improved_gan": (Grid("improved_gan_mnist", 56), 3),
    "ebgan": (Grid("ebgan_mnist", 56), 3),
    "cogan": (Grid("cogan_mnist", 56, left=14), 2),
    "r3gan": (Grid("r3gan_digits", 32, top=18), 3),
    "progan": (Grid("progan_fashion_mnist", 56), 3),
}
"""Of a model: the first rows and columns of a picture, and how many of them."""

PLANES = {"unrolled_gan": ("unrolled_ring8", (40, 0, 580, 540))}
"""Of a model of points: the part of a diagram, left, upper, right, lower."""


def row_of(side: int, tiles: list[tuple[Grid, int, int]]) -> Image.Image:
    """The tiles beside each other, each as large as `side`."""
    row = Image.new("RGB", (len(tiles) * (side + LINE) - LINE, side), "white")
    for place, (grid, line, column) in enumerate(tiles):
        row.paste(grid.tile_at(line, column).resize((side, side), Image.Resampling.LANCZOS), (place * (side + LINE), 0))
    return row


def strip() -> Image.Image:
    """All rows, as wide as the widest."""
    rows = [row_of(*row) for row in STRIP]
    width = max(row.width for row in rows)
    picture = Image.new("RGB", (width, sum(row.height + LINE for row in rows) - LINE), "white")
    upper = 0
    for row in rows:
        picture.paste(row, ((width - row.width) // 2, upper))
        upper += row.height + LINE
    return picture


def thumbnail(grid: Grid, num: int) -> Image.Image:
    """The first `num` rows and columns of a picture."""
    side = (THUMBNAIL - (num - 1) * LINE) // num
    picture = Image.new("RGB", (num * (side + LINE) - LINE,) * 2, "white")
    for row in range(num):
        picture.paste(row_of(side, [(grid, row, column) for column in range(num)]), (0, row * (side + LINE)))
    return picture


if __name__ == "__main__":
    strip().save(HERE / "strip.png", optimize=True)
    for name, of in THUMBNAILS.items():
        thumbnail(*of).save(HERE / "thumbnails" / f"{name}.png", optimize=True)
    for name, (figure, part) in PLANES.items():
        picture = Image.open(HERE / f"{figure}.png").convert("RGB").crop(part)
        picture.resize((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS).save(
            HERE / "thumbnails" / f"{name}.png", optimize=True
        )
