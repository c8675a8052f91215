"""Every kind of pixels gives the same numbers whichever way it comes: file, array, one's own picture."""

import io
import struct
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image, ImageCms

from experiments import data
from experiments.command_line.errors import UserError
from experiments.data.decoding import decode
from experiments.data.options import ImageOptions
from experiments.data.rows import PictureError
from experiments.latents import own
from tests.experiments.pictures_on_disk import encoded, npy, pixels, write_all

DEEP = np.array([[0, 257, 65535, 32896]] * 4, np.uint16)
DEEP_IS = [0, 1, 255, 128]


def saved(picture, kind="PNG", **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def plain(mode, colour, kind="PNG", **options):
    picture = Image.new(mode, (4, 4), colour)
    if mode == "P":
        picture.putpalette([0, 0, 0, 128, 128, 128])
    return saved(picture, kind, **options)


def palette(**options):
    picture = Image.new("P", (4, 4), 1)
    picture.putpalette([0, 0, 0, 10, 200, 30])
    return saved(picture, **options)


def netpbm(kind, values, most=65535, channels=1):
    height, width = values.shape[0], values.shape[1] // channels
    return f"{kind} {width} {height} {most}\n".encode() + values.astype(">u2").tobytes()


def tiff(values, sample_format=1):
    """An uncompressed grey TIFF file of any byte order and depth; Pillow does not write all of them."""
    order = ">" if values.dtype.byteorder == ">" else "<"
    (height, width), size = values.shape, values.nbytes
    tags = {256: width, 257: height, 258: 8 * values.dtype.itemsize, 259: 1, 262: 1, 273: 8, 277: 1, 278: height}
    tags |= {279: size, 339: sample_format}
    entries = b"".join(struct.pack(f"{order}HHIHH", tag, 3, 1, value, 0) for tag, value in tags.items())
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 8 + size)
    return head + values.tobytes() + struct.pack(f"{order}H", len(tags)) + entries + bytes(4)


BITS = np.array([[0, 1, 1, 0]] * 4, bool)
UNIT = np.array([[0, 0.25, 1, 0.5]] * 4, np.float32)

FORMS = {
    # what: a file, its channels, the first row of pixels (grey) or the one colour of all
    "1": (saved(Image.fromarray(BITS)), 1, [0, 255, 255, 0]),
    "1 with transparency": (saved(Image.fromarray(BITS), transparency=0), 1, [255] * 4),
    "L": (plain("L", 40), 1, [40] * 4),
    "L with transparency": (plain("L", 40, transparency=40), 1, [255] * 4),
    "LA, opaque": (plain("LA", (40, 255)), 1, [40] * 4),
    "LA, clear": (plain("LA", (40, 0)), 1, [255] * 4),
    "P": (palette(), 3, [10, 200, 30]),
    "P with transparency": (palette(transparency=1), 3, [255] * 3),
    "P of a gif": (plain("P", 1, "GIF"), 3, None),
    "RGB": (plain("RGB", (10, 20, 30)), 3, [10, 20, 30]),
    "RGB with transparency": (plain("RGB", (10, 20, 30), transparency=(10, 20, 30)), 3, [255] * 3),
    "RGBA, opaque": (plain("RGBA", (10, 20, 30, 255)), 3, [10, 20, 30]),
    "RGBA, clear": (plain("RGBA", (10, 20, 30, 0)), 3, [255] * 3),
    "CMYK": (plain("CMYK", (255, 0, 0, 0), "TIFF"), 3, [0, 255, 255]),
    "YCbCr": (plain("YCbCr", (100, 128, 128), "TIFF"), 3, [100] * 3),
    "LAB": (plain("LAB", (255, 128, 128), "TIFF"), 3, [254, 255, 254]),
    "I;16 of png": (saved(Image.fromarray(DEEP)), 1, DEEP_IS),
    "I;16 of png with transparency": (saved(Image.fromarray(DEEP), transparency=257), 1, [0, 255, 255, 128]),
    "I;16 of tiff, little endian": (tiff(DEEP.astype("<u2")), 1, DEEP_IS),
    "I;16 of tiff, big endian": (tiff(DEEP.astype(">u2")), 1, DEEP_IS),
    "I of pgm with 16 bits": (netpbm("P5", DEEP), 1, DEEP_IS),
    "I of pgm with 12 bits": (netpbm("P5", DEEP // 16, 4095), 1, DEEP_IS),
    "RGB of ppm with 16 bits": (netpbm("P6", np.full((4, 12), 257 * 7), channels=3), 3, [7] * 3),
    "F of tiff": (tiff(UNIT, 3), 1, [0, 64, 255, 128]),
    "F of pfm": (b"Pf\n4 4\n-1.0\n" + UNIT.astype("<f4").tobytes(), 1, [0, 64, 255, 128]),
}

REFUSED = {
    "I of tiff": (tiff(DEEP.astype("<i4"), 2), r"has 32-bit pixels \(mode I\), whose range is unknown .*8 or 16 bits"),
    "I of tiff, signed 16 bits": (tiff(DEEP.astype("<i2"), 2), r"has 32-bit pixels \(mode I\)"),
    "F beyond 1": (tiff(2 * UNIT, 3), r"has 32-bit pixels \(mode F\) from 0 to 2, .*from 0 to 1 \(save it so"),
    "F below 0": (tiff(UNIT - 1, 3), r"has 32-bit pixels \(mode F\) from -1 to 0"),
    "F of NaN": (tiff(UNIT * np.float32(np.nan), 3), r"has 32-bit pixels \(mode F\) from nan"),
}


def by_folder(folder, content):
    write_all(folder, {"a.png": content, "b.png": content})
    return data.load(f"folder:{folder}", "all").batch([1])[0]


def by_own_picture(folder, content):
    write_all(folder, {"a.png": content})
    return own.load(folder / "a.png", decode(content, ImageOptions()).shape)[1][0]


WAYS = {"folder": by_folder, "own picture": by_own_picture}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("form", FORMS)
def test_each_form_gives_the_same_pixels_whichever_way_it_comes(form, way, tmp_path):
    content, channels, wanted = FORMS[form]
    found = WAYS[way](tmp_path, content)
    assert (found.shape, found.dtype) == ((4, 4, channels), np.uint8)
    if wanted is not None:
        np.testing.assert_array_equal(found[0, :, 0] if channels == 1 else found[0, 0], wanted)


@pytest.mark.parametrize("form", REFUSED)
def test_pixels_whose_range_is_unknown_are_refused_whichever_way_they_come(form, tmp_path):
    content, says = REFUSED[form]
    write_all(tmp_path, {"a.png": content})
    with pytest.raises(UserError, match=rf"a\.png {says}"):
        data.load(f"folder:{tmp_path}", "all")
    with pytest.raises(UserError, match=rf"a\.png {says}"):
        own.load(tmp_path / "a.png", (4, 4, 1))


ARRAYS = {
    "bool": (BITS, [0, 255, 255, 0]),
    "uint8": (np.array([[0, 1, 255, 128]] * 4, np.uint8), DEEP_IS),
    "uint16": (DEEP, DEEP_IS),
    "uint16, big endian": (DEEP.astype(">u2"), DEEP_IS),
    "uint16 to 255": (DEEP // 257, DEEP_IS),
} | {
    f"{kind}{what}": (values.astype(kind), wanted)
    for kind in ("float16", "float32", "float64", ">f4")
    for what, values, wanted in (
        ("", UNIT, [0, 64, 255, 128]),
        (" from -1", 2 * UNIT - 1, [0, 64, 255, 128]),
        (" to 255", np.float32([[0, 1, 255, 128]] * 4), DEEP_IS),
    )
}
WHOLE = ("int16", "int32", "int64", "uint32", "uint64")
ARRAYS |= {f"{kind} to 255": ((DEEP // 257).astype(kind), DEEP_IS) for kind in WHOLE}


@pytest.mark.parametrize("kind", ARRAYS)
def test_arrays_of_each_type_give_the_pixels_that_files_give(kind, tmp_path):
    values, wanted = ARRAYS[kind]
    write_all(tmp_path, {"a.npy": npy(np.stack([values, values]).astype(values.dtype))})
    found = data.load(f"npy:{tmp_path}/a.npy", "all").batch([1])[0]
    np.testing.assert_array_equal(found[0, :, 0], wanted)
    assert found.dtype == np.uint8


@pytest.mark.parametrize("kind", ["int32", "int64", "uint32", "uint64"])
def test_whole_numbers_beyond_255_have_a_known_range_as_uint16_alone(kind, tmp_path):
    write_all(tmp_path, {"a.npy": npy(np.stack([DEEP, DEEP]).astype(kind))})
    with pytest.raises(UserError, match=r"values from 0 to 65535; images are whole numbers from 0 to 255, or uint16"):
        data.load(f"npy:{tmp_path}/a.npy", "all")


@pytest.mark.parametrize("size", [None, 8, (6, 10)])
@pytest.mark.parametrize("crop", ["centre", "none", "random"])
@pytest.mark.parametrize("pad", [0, 2])
@pytest.mark.parametrize("resample", ["lanczos", "nearest"])
def test_an_own_picture_becomes_what_it_is_in_training(size, crop, pad, resample, tmp_path):
    if crop == "random" and size is None and not pad:
        return
    images = ImageOptions(size, crop, pad, flip=True, resample=resample)
    write_all(tmp_path, {"a.jpg": encoded(pixels(75, 111), "JPEG"), "b.jpg": encoded(pixels(75, 111, seed=1), "JPEG")})
    trained = data.load(f"folder:{tmp_path}", "all", images=images)
    _, found, _ = own.load(tmp_path, trained.image_shape, images=images)
    np.testing.assert_array_equal(found, trained.batch([0, 1]))


def curve(gamma):
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)


def xyz(*values):
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(value * 65536) for value in values))


WHITE = (0.9642, 1.0, 0.8249)
PRIMARIES = {b"r": (0.6097, 0.3111, 0.0195), b"g": (0.2053, 0.6257, 0.0609), b"b": (0.1492, 0.0632, 0.7446)}


def profile(space):
    """An ICC profile of version 2: of sRGB, the primaries of Adobe RGB with a gamma of 1, or grey with a gamma of 1."""
    if space == "sRGB":
        return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    tags = {b"desc": b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\0" + bytes(79), b"wtpt": xyz(*WHITE)}
    if space == "GRAY":
        tags[b"kTRC"] = curve(1.0)
    else:
        for name, values in PRIMARIES.items():
            tags[name + b"XYZ"], tags[name + b"TRC"] = xyz(*values), curve(1.0)
    body, table, place = b"", b"", 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        table += name + struct.pack(">II", place + len(body), len(content))
        body += content
    head = struct.pack(
        ">I4sI4s4s4s12s4s28s",
        place + len(body),
        b"none",
        0x02400000,
        b"mntr",
        *(space.ljust(4).encode(), b"XYZ ", bytes(12), b"acsp", bytes(28)),
    )
    return (head + xyz(*WHITE)[8:]).ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def srgb(linear):
    return 255 * (12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055)


HALF = round(srgb(128 / 255))
"""What a gamma of 1 makes of 128."""


@pytest.mark.parametrize(
    ("mode", "colour", "space", "wanted"),
    [
        ("RGB", (128, 128, 128), "RGB", [HALF] * 3),
        ("RGB", (255, 255, 255), "RGB", [255] * 3),
        ("RGBA", (128, 128, 128, 255), "RGB", [HALF] * 3),
        ("RGBA", (128, 128, 128, 0), "RGB", [255] * 3),
        ("P", 1, "RGB", [HALF] * 3),
        ("L", 128, "RGB", [HALF]),
        ("L", 128, "GRAY", [HALF]),
        ("LA", (128, 255), "GRAY", [HALF]),
        ("LA", (128, 0), "GRAY", [255]),
        ("L", 128, "sRGB", [128]),
        ("RGB", (128, 10, 20), "sRGB", [128, 10, 20]),
    ],
)
def test_colours_are_those_of_the_profile(mode, colour, space, wanted):
    content = plain(mode, colour, icc_profile=profile(space))
    np.testing.assert_allclose(decode(content, ImageOptions())[0, 0], wanted, atol=1)
    ignored = decode(content, ImageOptions(profiles="ignore"))
    np.testing.assert_array_equal(ignored, decode(plain(mode, colour), ImageOptions()))


def test_a_colour_beyond_srgb_becomes_its_most_saturated():
    content = plain("RGB", (0, 255, 0), "JPEG", icc_profile=profile("RGB"), quality=100)
    found = decode(content, ImageOptions())[0, 0]
    assert found[1] >= 254 and found[0] <= 1


@pytest.mark.parametrize(
    ("mode", "content", "says"),
    [
        ("RGB", b"no profile", r"has a damaged colour profile \(give --images\.profiles ignore\)"),
        ("RGB", profile("RGB")[:200], r"has a damaged colour profile"),
        ("L", profile("RGB")[:140], r"has a damaged colour profile"),
        (
            "RGB",
            profile("GRAY"),
            r"has a colour profile of GRAY for pixels of RGB \(give",
        ),
        ("CMYK", profile("RGB"), r"has a colour profile of RGB for pixels of CMYK"),
        ("RGB", profile("HSV"), r"has a colour profile of an unusual kind, 'HSV'|has a damaged colour profile"),
    ],
)
def test_a_profile_that_cannot_be_used_is_named_with_the_cure(mode, content, says):
    picture = plain(mode, 0, "TIFF" if mode == "CMYK" else "PNG", icc_profile=content)
    with pytest.raises(PictureError, match=says):
        decode(picture, ImageOptions())
    assert decode(picture, ImageOptions(profiles="ignore")).shape[:2] == (4, 4)


def test_threads_that_share_a_profile_find_the_same_colours():
    content = encoded(pixels(64, 64), icc_profile=profile("RGB"))
    alone = decode(content, ImageOptions())
    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(lambda _: decode(content, ImageOptions()), range(64)):
            np.testing.assert_array_equal(found, alone)
