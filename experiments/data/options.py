"""How pictures are brought to the size that a model sees, and where they lie while it trains."""

from dataclasses import dataclass, replace
from typing import Literal

from jaxgen.checks import require

Resample = Literal["lanczos", "box", "nearest"]


LEAST_TOKENS, MOST_TOKENS = 300, 2**16
"""Of a vocabulary of byte pairs: padding, 256 bytes and some pairs; what uint16 holds."""


@dataclass(frozen=True)
class ImageOptions:
    """What is done to every picture. What is random is a function of seed, step and place in the batch."""

    size: int | tuple[int, int] | None = None  # side of square images, or height and width; else as pictures are
    crop: Literal["centre", "random", "none"] = "centre"  # to the shape: the middle, a window that moves, or squeezed
    pad: int = 0  # pixels added on each side, repeating the edge; with crop random, how far the window moves
    flip: bool = False  # mirror half of the images, left to right, at random
    channels: Literal[1, 3] | None = None  # 1 grey, 3 RGB; as the pictures have it if not given
    resample: Resample = "lanczos"  # how sizes change: sharp, the mean of what a pixel covers, or the nearest pixel
    label_maps: Literal["inputs", "targets"] | None = None  # of pairs: the side resized by nearest, no colours mixed
    target_factor: int = 1  # of pairs, with a size: how many times as high and wide as its input a target is
    swap: bool = False  # of pairs: the right half, or the second folder, is the input
    profiles: Literal["srgb", "ignore"] = "srgb"  # colour profiles of pictures: converted to sRGB, or not
    skip_damaged: bool = False  # leave damaged pictures out, named and counted; reads each picture once beforehand
    caption_length: int = 128  # bytes, or tokens, that a caption takes; longer ones are cut
    tokens: int = 0  # of a vocabulary of byte pairs, learned on the training captions or of --tokenizer; 0: bytes

    def __post_init__(self):
        require(min(self.shape or (1,)) >= 1, "--images.size", self.size, "at least 1")
        require(self.target_factor >= 1, "--images.target-factor", self.target_factor, "at least 1")
        require(self.pad >= 0, "--images.pad", self.pad, "at least 0")
        require(self.caption_length >= 1, "--images.caption-length", self.caption_length, "at least 1")
        fits = self.tokens == 0 or LEAST_TOKENS <= self.tokens <= MOST_TOKENS
        require(fits, "--images.tokens", self.tokens, f"0 or in [{LEAST_TOKENS:,}, {MOST_TOKENS:,}]")
        if self.crop == "random" and self.size is None and self.pad == 0:
            raise ValueError("--images.crop random needs --images.size or --images.pad, or the window cannot move")

    @property
    def shape(self) -> tuple[int, int] | None:
        """Height and width that `size` asks for."""
        return (self.size, self.size) if isinstance(self.size, int) else self.size

    @property
    def stored_shape(self) -> tuple[int, int] | None:
        """Height and width of images as they are kept: a random window without padding moves over one eighth more."""
        if self.shape is None or self.crop != "random" or self.pad:
            return self.shape
        height, width = self.shape
        return height + max(1, height // 8), width + max(1, width // 8)

    @property
    def of_inputs(self) -> "ImageOptions":
        """What is done to the inputs of pairs."""
        return replace(self, resample="nearest") if self.label_maps == "inputs" else self

    @property
    def of_targets(self) -> "ImageOptions":
        """What is done to the targets of pairs."""
        own = replace(self, resample="nearest") if self.label_maps == "targets" else self
        if self.stored_shape is None:
            return own
        height, width = (self.target_factor * side for side in self.stored_shape)
        crop = "none" if self.crop == "none" else "centre"
        return replace(own, size=(height, width), crop=crop, pad=0, target_factor=1)


@dataclass(frozen=True)
class StorageOptions:
    """Where the images lie while a model trains; the numbers that it computes are the same wherever they lie."""

    device_bytes: int | None = None  # largest set kept on the devices; 2 GiB, or on CPU 0 (256 MiB with crops)
    host_bytes: int = 4 * 2**30  # largest set kept in memory; a larger one is read as it is needed
    ahead_bytes: int = 2**28  # of batches read ahead of the training
    threads: int = 4  # that read and decode

    def __post_init__(self):
        for name in ("host_bytes", "ahead_bytes"):
            require(getattr(self, name) >= 0, f"--storage.{name.replace('_', '-')}", getattr(self, name), "at least 0")
        require(
            self.device_bytes is None or self.device_bytes >= 0, "--storage.device-bytes", self.device_bytes, ">= 0"
        )
        require(self.threads >= 1, "--storage.threads", self.threads, "at least 1")
