"""Of too few examples a metric is refused in a sentence; of enough it is finite. Nothing is NaN in silence."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen import metrics

KEY = jax.random.key(0)


def normal(num, *shape):
    return jnp.asarray(np.random.default_rng(num).normal(size=(num, *shape)), jnp.float32)


def two(num):
    return normal(num, 3), 1 + normal(num, 3)


METRICS = {
    "frechet_distance": (2, lambda num: metrics.frechet_distance(*map(metrics.moments, two(num)))),
    "covariance": (2, lambda num: metrics.covariance(metrics.moments(normal(num, 3)))),
    "small_sample_frechet_distance": (2, lambda num: metrics.small_sample_frechet_distance(*two(num))),
    "kernel_distance": (2, lambda num: metrics.kernel_distance(*two(num))),
    "kernel_distances": (2, lambda num: metrics.kernel_distances(*two(num), KEY, num_subsets=2, subset_size=2)),
    "inception_scores": (1, lambda num: metrics.inception_scores(normal(num, 3), num_splits=1)),
    "inception_scores of 3 splits": (3, lambda num: metrics.inception_scores(normal(num, 3), num_splits=3)),
    "precision_recall": (4, lambda num: metrics.precision_recall(*two(num))),
    "density_coverage": (6, lambda num: metrics.density_coverage(*two(num))),
    "nearest_neighbors": (1, lambda num: metrics.nearest_neighbors(*two(num)).distances),
    "neighbor_distances": (2, lambda num: metrics.neighbor_distances(normal(num, 3), k=1)),
    "nearest_neighbor_accuracy": (2, lambda num: metrics.nearest_neighbor_accuracy(*two(num))),
    "holding_balls": (1, lambda num: metrics.holding_balls(*two(num), jnp.ones(num))),
    "mode_coverage": (1, lambda num: metrics.mode_coverage(normal(num, 2), metrics.ring_modes(), 0.02)),
    "ms_ssim_diversity": (
        2,
        lambda num: metrics.ms_ssim_diversity(normal(num, 16, 16, 1), KEY, data_range=1.0, num_pairs=2),
    ),
    "pyramid_distances": (
        1,
        lambda num: metrics.pyramid_distances(normal(num, 8, 8, 1), normal(num, 8, 8, 1), KEY, num_levels=1),
    ),
    "ssim": (1, lambda num: metrics.ssim(normal(num, 16, 16, 1), normal(num, 16, 16, 1), data_range=1.0)),
    "psnr": (1, lambda num: metrics.psnr(normal(num, 4, 4, 1), 1 + normal(num, 4, 4, 1), data_range=1.0)),
    "hole_psnr": (
        1,
        lambda num: metrics.hole_psnr(
            normal(num, 4, 4, 1), 1 + normal(num, 4, 4, 1), jnp.zeros((num, 4, 4, 1)), data_range=1.0
        ),
    ),
    "within_class_variety": (
        1,
        lambda num: metrics.within_class_variety(normal(num, 3), jnp.zeros(num, jnp.int32), num_classes=2),
    ),
    "micro_f1": (1, lambda num: metrics.micro_f1(normal(num, 3), normal(num, 3) > 0)),
    "macro_f1": (1, lambda num: metrics.macro_f1(normal(num, 3), normal(num, 3) > 0)),
    "accuracy": (1, lambda num: metrics.accuracy(normal(num, 3), jnp.zeros(num, jnp.int32))),
    "pca_extractor": (1, lambda num: metrics.pca_extractor(metrics.moments(normal(num, 3)), 2)(normal(num, 3))),
    "bootstrap": (1, lambda num: metrics.bootstrap(jnp.mean, normal(num), KEY, num=3)),
    "percentile_interval": (1, lambda num: metrics.percentile_interval(normal(num))),
    "trimmed_mean": (1, lambda num: metrics.trimmed_mean(normal(num))),
}


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_is_finite_or_refused_in_a_sentence(name):
    least, metric = METRICS[name]
    for num in sorted({1, 2, 4, least - 1, least} - {0}):
        if num < least:
            with pytest.raises(ValueError, match=r"at least|must be") as error:
                metric(num)
            assert "\n" not in str(error.value)
        else:
            values = jax.jit(metric, static_argnums=0)(num)  # one program in place of one for each operation
            assert all(bool(jnp.isfinite(leaf).all()) for leaf in jax.tree.leaves(values)), num
