"""Files of pictures, good and bad, for the tests of data."""

import io
import pathlib
import struct
import zlib

import numpy as np
from PIL import Image

MODES = {1: "L", 3: "RGB"}


def pixels(height=8, width=8, channels=3, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)


def encoded(array=None, kind="PNG", **options):
    """The bytes of a picture file."""
    array = pixels() if array is None else array
    file = io.BytesIO()
    Image.fromarray(array[..., 0] if array.shape[-1] == 1 else array).save(file, kind, **options)
    return file.getvalue()


def write(folder: pathlib.Path, **files):
    """Files by name, `__` for a dot and `--` for a slash being inconvenient: give a dict to `write_all` for those."""
    return write_all(folder, {name.replace("__", "."): data for name, data in files.items()})


def write_all(folder: pathlib.Path, files: dict):
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode("utf-8"))
    return folder


def animation(kind):
    frames = [Image.fromarray(pixels(seed=seed)) for seed in range(3)]
    file = io.BytesIO()
    frames[0].save(file, kind, save_all=True, append_images=frames[1:], duration=100)
    return file.getvalue()


def png_of_size(width, height):
    """A PNG whose header promises that size and whose data hold nothing."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def npy(array, **options):
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


def npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()
