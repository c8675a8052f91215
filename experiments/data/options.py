"""How pictures are brought to the size that a model sees, and where they lie while it trains."""

from dataclasses import dataclass, replace
from typing import Literal

from jaxgen.checks import require


@dataclass(frozen=True)
class ImageOptions:
    """What is done to every picture. What is random is a function of seed, step and place in the batch."""

    size: int | None = None  # side in pixels of the square images; pictures stay as they are if not given
    crop: Literal["centre", "random", "none"] = "centre"  # to a square: the middle, a window that moves, or squeezed
    pad: int = 0  # pixels added on each side, repeating the edge; with crop random, how far the window moves
    flip: bool = False  # mirror half of the images, left to right, at random
    channels: Literal[1, 3] | None = None  # 1 grey, 3 RGB; as the pictures have it if not given
    resample: Literal["lanczos", "box"] = "lanczos"  # how sizes change: sharp, or the mean of what a pixel covers
    target_factor: int = 1  # of pairs, with a size: how many times as high and wide as its input a target is
    swap: bool = False  # of pairs: the right half, or the second folder, is the input
    caption_length: int = 128  # bytes that a caption takes, longer ones are cut

    def __post_init__(self):
        require(self.size is None or self.size >= 1, "--images.size", self.size, "at least 1")
        require(self.target_factor >= 1, "--images.target-factor", self.target_factor, "at least 1")
        require(self.pad >= 0, "--images.pad", self.pad, "at least 0")
        require(self.caption_length >= 1, "--images.caption-length", self.caption_length, "at least 1")
        if self.crop == "random" and self.size is None and self.pad == 0:
            raise ValueError("--images.crop random needs --images.size or --images.pad, or the window cannot move")

    @property
    def stored_size(self) -> int | None:
        """Side of the images as they are kept: a random window without padding moves over one eighth more."""
        if self.size is None or self.crop != "random" or self.pad:
            return self.size
        return self.size + max(1, self.size // 8)

    @property
    def of_targets(self) -> "ImageOptions":
        """What is done to the targets of pairs."""
        if self.stored_size is None:
            return self
        return replace(self, size=self.target_factor * self.stored_size, crop="centre", pad=0, target_factor=1)


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
