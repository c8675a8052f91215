"""Sets that can be prepared by name, for a person to choose from."""

from typing import NamedTuple


class Known(NamedTuple):
    """One line of the list."""

    name: str
    what: str
    size: int  # MiB to download
    licence: str  # as its makers state it; ask them before publishing what is made of it


KNOWN = (
    Known("mnist", "60,000 + 10,000 handwritten digits, 28x28 grey", 11, "CC BY-SA 3.0 as commonly given"),
    Known("fashion_mnist", "60,000 + 10,000 clothes, 28x28 grey", 29, "MIT"),
    Known("kmnist", "60,000 + 10,000 Japanese characters, 28x28 grey", 20, "CC BY-SA 4.0"),
    Known("emnist/letters", "handwritten letters, 28x28 grey", 536, "none stated (NIST)"),
    Known("cifar10", "50,000 + 10,000 photos in 10 classes, 32x32", 162, "none stated; cite Krizhevsky 2009"),
    Known("cifar100", "50,000 + 10,000 photos in 100 classes, 32x32", 161, "none stated; cite Krizhevsky 2009"),
    Known("svhn_cropped", "99,289 house numbers, 32x32", 1503, "non-commercial"),
    Known("celeb_a", "202,599 faces, 218x178", 1420, "non-commercial research"),
    Known("lsun/bedroom", "3 million bedrooms; also lsun/church_outdoor and others", 43_000, "none stated"),
    Known("cycle_gan/horse2zebra", "unpaired horses and zebras; also apple2orange and others", 111, "none stated"),
    Known("oxford_flowers102", "8,189 flowers in 102 classes", 329, "none stated"),
    Known("stl10", "113,000 photos, 96x96, most without labels", 2518, "none stated; ImageNet's terms"),
    Known("quickdraw:sheep", "126,121 drawings, 28x28 grey; any of 345 categories", 94, "CC BY 4.0 (Google)"),
)


def lines() -> list[str]:
    """A table for the terminal."""
    width = max(len(known.name) for known in KNOWN)
    return [f"{known.name:<{width}}  {known.size:>6,} MiB  {known.what}; licence: {known.licence}" for known in KNOWN]
