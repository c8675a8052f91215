"""Every metric of a batch that lies on four devices is that of the batch on one."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from jaxgen import metrics
from tests.metrics import inputs

KEY = jax.random.key(0)
FEATURES = inputs.features(24).astype(np.float32)
OTHERS = inputs.features(24, shift=0.4, seed=1).astype(np.float32)
IMAGES, COPIES = ((inputs.pixels(8, 16, 16, seed=seed) / 255).astype(np.float32) for seed in (3, 4))
LOGITS, LABELS = inputs.logits(24).astype(np.float32), np.arange(24, dtype=np.int32) % 10
TIMES = np.linspace(0, 1, 24, dtype=np.float32)


def squared(x, y):
    return ((x - y) ** 2).sum(axis=1)


def linear(a, b, t):
    return a + t[:, None] * (b - a)


def layers(images):
    return [images, jnp.tanh(images)]


def of_features(x, y):
    return metrics.frechet_distance(metrics.moments(x), metrics.moments(y))


def path_lengths(a, b, t):
    lengths = metrics.perceptual_path_lengths(jnp.tanh, squared, linear, (a, b), t, epsilon=0.1)
    return metrics.trimmed_mean(lengths, lower=5.0, upper=95.0)


def components(x):
    return jnp.abs(metrics.pca_extractor(metrics.moments(x), 3)(metrics.raw_pixels(x)))


DIVERSITY = functools.partial(metrics.ms_ssim_diversity, key=KEY, data_range=1.0, num_pairs=8)
ONES = [jnp.ones(3), jnp.ones(3)]

CASES = {
    "frechet_distance": (of_features, FEATURES, OTHERS),
    "small_sample_frechet_distance": (metrics.small_sample_frechet_distance, FEATURES, OTHERS),
    "kernel_distances": (
        lambda x, y: metrics.kernel_distances(x, y, KEY, num_subsets=2, subset_size=9),
        FEATURES,
        OTHERS,
    ),
    "nearest_neighbor_accuracy": (metrics.nearest_neighbor_accuracy, FEATURES, OTHERS),
    "inception_scores": (functools.partial(metrics.inception_scores, num_splits=3), LOGITS),
    "accuracy": (functools.partial(metrics.accuracy, top=2), LOGITS, LABELS),
    "mode_coverage": (lambda x: metrics.mode_coverage(x[:, :2], 3 + metrics.ring_modes(4, 0.5), 0.3), FEATURES),
    "perceptual_path_lengths": (path_lengths, FEATURES, OTHERS, TIMES),
    "pca_extractor": (components, FEATURES),
    "ssim": (functools.partial(metrics.ssim, data_range=1.0), IMAGES, COPIES),
    "psnr": (functools.partial(metrics.psnr, data_range=1.0), IMAGES, COPIES),
    "hole_psnr": (
        lambda x, y: metrics.hole_psnr(x, y, (x[..., :1] > y[..., :1]).astype(x.dtype), data_range=1.0),
        IMAGES,
        COPIES,
    ),
    "ms_ssim_diversity": (DIVERSITY, IMAGES),
    "lpips": (
        lambda x, y: metrics.lpips(layers, ONES, metrics.lpips_inputs(x), metrics.lpips_inputs(y)),
        IMAGES,
        COPIES,
    ),
    "pixel_bits_per_dim": (functools.partial(metrics.pixel_bits_per_dim, num_dims=64, step=1 / 256), TIMES),
    "resize_bilinear": (lambda x: metrics.resize_bilinear(x, 9, 5), IMAGES),
}


@pytest.mark.parametrize("name", CASES)
def test_four_devices_have_the_value_of_one(name):
    function, *arrays = CASES[name]
    mesh = Mesh(np.array(jax.devices()[:4]), ("devices",))
    placed = [jax.device_put(array, NamedSharding(mesh, PartitionSpec("devices"))) for array in arrays]
    compiled = jax.jit(function)
    found = compiled(*placed)
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-5), found, compiled(*arrays))
