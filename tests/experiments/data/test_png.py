import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from experiments.data import png
from tests.experiments.pictures_on_disk import encoded, pixels


def filtered(image, kinds):
    """A PNG whose row r is filtered with kinds[r], written from the specification's formulas, pixel by pixel."""
    height, width, channels = image.shape
    values = image.astype(int).reshape(height, width * channels)
    data = b""
    for y in range(height):
        row = []
        for x in range(width * channels):
            a = values[y, x - channels] if x >= channels else 0
            b = values[y - 1, x] if y else 0
            c = values[y - 1, x - channels] if y and x >= channels else 0
            p = a + b - c
            paeth = min(((abs(p - value), rank, value) for rank, value in enumerate((a, b, c))))[2]
            row.append((values[y, x] - (0, a, b, (a + b) // 2, paeth)[kinds[y]]) % 256)
        data += bytes([kinds[y], *row])

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, {1: 0, 3: 2}[channels], 0, 0, 0))
    packed = zlib.compress(data)
    parts = chunk(b"IDAT", packed[:7]) + chunk(b"IDAT", packed[7:])
    return png.SIGNATURE + header + parts + chunk(b"IEND", b"")


@given(
    seed=st.integers(0, 999),
    channels=st.sampled_from([1, 3]),
    kinds=st.lists(st.integers(0, 4), min_size=5, max_size=5),
)
def test_every_filter_is_undone(seed, channels, kinds):
    image = pixels(5, 4, channels, seed)
    others = [pixels(5, 4, channels, seed + 1), pixels(2, 3, channels, seed)]
    files = [filtered(image, kinds), filtered(others[0], kinds[::-1]), filtered(others[1], [4, 3])]
    for found, wanted in zip(png.decode_all(files), [image, *others], strict=True):
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("channels", [1, 3])
def test_pillows_files_are_read_as_pillow_reads_them(channels):
    smooth = np.add.outer(np.arange(40), 2 * np.arange(30)).astype(np.uint8)[..., None].repeat(channels, axis=-1)
    images = [pixels(40, 30, channels), smooth]
    for found, wanted in zip(png.decode_all([encoded(image) for image in images]), images, strict=True):
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize(
    "file",
    [
        b"",
        png.SIGNATURE,
        encoded()[:-60],
        encoded()[:40],
        encoded(kind="JPEG"),
        encoded()[:16] + b"\x7f" + encoded()[17:],
        encoded(pixels(channels=1)).replace(b"IDAT", b"tEXt"),
    ],
)
def test_what_is_not_plain_or_damaged_is_left_to_pillow(file):
    assert png.decode_all([file, encoded()])[0] is None


def test_a_palette_is_left_to_pillow(tmp_path):
    Image.fromarray(pixels()).convert("P").save(tmp_path / "a.png")
    assert png.decode_all([(tmp_path / "a.png").read_bytes()]) == [None]


def test_a_filter_that_does_not_exist_is_left_to_pillow():
    broken = filtered(pixels(5, 4, 1), [0, 0, 0, 0, 0])
    start = broken.index(b"IDAT")
    assert png.decode_all([broken[:start] + b"IDAT" + broken[start + 4 :]])[0] is not None
    rows = b"".join(bytes([9, 1, 2]) for _ in range(3))
    header = struct.pack(">IIBBBBB", 2, 3, 8, 0, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    file = b"".join(struct.pack(">I", len(data)) + kind + data + b"0000" for kind, data in parts)
    assert png.decode_all([png.SIGNATURE + file]) == [None]
