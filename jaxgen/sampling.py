"""Sampling from a model's prior, for all families: `sample` of every model that decodes latents."""

from collections.abc import Callable
from typing import Any, TypeAlias

from jaxgen.typing import Keys, Points

Decoder: TypeAlias = Callable[..., Points]
"""`(config, state, latents, condition=None)` to images, a model's `from_latents`."""


def sampler(from_latents: Decoder) -> Callable[..., Points]:
    """A model's `sample`: what `from_latents` makes of latents drawn from `config.prior`."""

    def sample(config: Any, state: Any, key: Keys, num: int, condition: Any = None) -> Points:
        """`num` images of latents from the prior; `condition` as `from_latents` takes it."""
        return from_latents(config, state, config.prior.draw(key, num), condition)

    return sample
