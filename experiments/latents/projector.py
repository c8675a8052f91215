"""Styles of images by the projector of StyleGAN 2, which moves the noise maps, too."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from experiments.latents import searching
from experiments.latents.styled import Styled
from experiments.models import abilities, sampling
from experiments.models.chunks import in_chunks
from jaxgen import images, parallel
from jaxgen.gans import noise_inputs, styles
from jaxgen.latents.style_projection import Projector, project_styles, spread
from jaxgen.mode import fold
from jaxgen.priors import normal_noise

DRAWS = 10_000
"""Of which the mean style is taken, as in the authors' code."""


def found(
    styled: Styled, pixels: np.ndarray, labels: np.ndarray | None, settings: Projector, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """w of each image, (num, features), and uint8 pixels of what is made of it with the noise that was found."""
    run: Any = styled.run
    model: Any = abilities.styled_model(run.config)
    draws = run.draw(searching.LAST - np.arange(DRAWS), seed)
    ws = styled.ws_of(draws, None if labels is None else np.resize(labels, DRAWS))[:, 0]
    around = jax.jit(spread)(ws)
    num = run.config.synthesis.num_styles(run.config.image_shape)
    sizes = styled.map_sizes(np.zeros((1, num, ws.shape[1]), np.float32))

    @parallel.compiled
    def search(state: Any, pixels: Any, keys: Any) -> Any:
        def draw(w: Any, maps: Any) -> Any:
            return model.from_w_plus(run.config, noise_inputs.with_maps(state, maps), styles.broadcast(w, num))

        targets = images.scale(pixels, run.config.value_range)
        maps = {
            layer: normal_noise((*size, 1), fold(keys, number + 1), len(pixels))
            for number, (layer, size) in enumerate(sizes.items())
        }
        best = project_styles(settings, draw, targets, around, maps, fold(keys, 0))
        return best.w, images.to_pixels(draw(best.w, best.maps), run.config.value_range)

    def some(places: np.ndarray) -> Any:
        keys = sampling.keys_of(jax.random.key(seed), places.astype(np.uint32))
        return search(run.state, jnp.asarray(pixels[places]), keys)

    return in_chunks(some, np.arange(len(pixels)), min(searching.CHUNK, len(pixels)))
