"""Whether a model's likelihood suits the images that it is given."""

from typing import Any

import numpy as np

from jaxgen.autoencoders.likelihoods import Bernoulli

MOST_NOISE = 0.5
"""Share of the variance of bits that is the noise of drawing them, from which grey images are far from two-valued.

Of MNIST's digits it is 0.16, of scikit-learn's 0.33, of Fashion-MNIST 0.39, of photographs about 0.75."""

CURE = "train conv_vae_photos, or another experiment with a Gaussian or DiscretizedLogistic likelihood, on them"


def warnings(config: Any, pixels: np.ndarray) -> list[str]:
    """One sentence for a Bernoulli likelihood of images that are no bits; `pixels` are some of them."""
    likelihood = getattr(config, "likelihood", None)
    if not isinstance(likelihood, Bernoulli) or pixels.dtype != np.uint8:
        return []
    if pixels.shape[-1] > 1:
        return [f"the Bernoulli likelihood takes each colour value for a bit, but these are colour images: {CURE}"]
    noise = noise_of_bits(pixels)
    if likelihood.binarize == "never" or noise <= MOST_NOISE:
        return []
    return [
        f"the Bernoulli likelihood makes a bit of each grey level, and {noise:.0%} of their variance is that noise: "
        f"give --model.likelihood.binarize never, or {CURE}"
    ]


def noise_of_bits(pixels: np.ndarray) -> float:
    """E[p (1 - p)] / (m (1 - m)) of uint8 pixels p = x / 255 with mean m: 0 for bits, 1 for one grey level."""
    levels = pixels.astype(np.float64) / 255
    mean = levels.mean()
    return float((levels * (1 - levels)).mean() / max(mean * (1 - mean), 1e-12))
