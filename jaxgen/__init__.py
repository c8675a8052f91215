"""Deep generative models in JAX and Flax, as pure functions.

`jaxgen` computes: losses, networks, models and their updates, with no effect on disk, clock or screen.
Import the module that you need, for example `from jaxgen.losses.penalties import gradient_penalty` or
`from jaxgen.gans import wgan_gp`; this file imports nothing, so a loss loads no network library. A package is imported
when `jaxgen.losses`, say, is first asked for.
"""

from typing import Any

__version__ = "0.1.0"

PACKAGES = (
    "autoencoders",
    "diffusion",
    "gans",
    "latents",
    "losses",
    "metrics",
    "nets",
    "parallel",
    "text_to_image",
    "translation",
)


def __getattr__(name: str) -> Any:
    """A package of the library that is not imported yet."""
    if name not in PACKAGES:
        raise AttributeError(f"module 'jaxgen' has no attribute {name!r}")
    import importlib

    return importlib.import_module(f"jaxgen.{name}")
