"""Every public metric with the float arrays that it takes, small and in range, to spoil one at a time."""

import functools

import jax
import jax.numpy as jnp

from jaxgen import metrics as M
from jaxgen.batches import Labelled
from tests.losses.arguments import IMAGES, ROW, B, Row, labels_of

KEY = jax.random.key(0)
MATRIX = (3, 3)
MS_SSIM = functools.partial(M.ms_ssim, data_range=1.0, window=3, weights=(0.4, 0.6))


def moments(mean, scatter):
    """Of five examples, with a symmetric scatter."""
    return M.Moments(jnp.asarray(5), mean, (scatter + scatter.T) / 2 + 3 * jnp.eye(3, dtype=scatter.dtype))


def symmetric(function):
    """A function of means and symmetric covariances, where they are matrices of floats."""

    def symmetrized(matrix):
        floats = isinstance(matrix, jax.Array) and jnp.issubdtype(matrix.dtype, jnp.floating)
        return (matrix + matrix.T) / 2 if floats else matrix

    return lambda m_1, s_1, m_2, s_2: function(m_1, symmetrized(s_1), m_2, symmetrized(s_2))


def nearest_mean(train):
    """A classifier that is fitted: logits from the distance to the mean of each class."""
    means = jax.ops.segment_sum(train.images, train.labels, 3)
    return lambda images: -((images[:, None] - means[None].astype(images.dtype)) ** 2).sum(axis=2)


def classified(samples, real):
    return M.classification_accuracy_score(
        nearest_mean, Labelled(samples, labels_of(samples)), Labelled(real, labels_of(real))
    )


def marks_of(logits):
    """One of three labels for each example, if they are logits."""
    return jax.nn.one_hot(labels_of(logits), 3).astype(bool)


def squared(x, y):
    return ((x - y) ** 2).sum(axis=1)


def line(start, end, time):
    return start + time[:, None] * (end - start)


def lengths(starts, ends, times):
    return M.perceptual_path_lengths(jnp.sin, squared, line, (starts, ends), times, epsilon=0.1)


def distances_of_whole_images(real, fake):
    patches = M.Patches(per_image=1, size=5, projections=4, at_a_time=2)
    return M.pyramid_distances(real, fake, KEY, num_levels=1, patches=patches)


def projected(mean, scatter, features):
    return M.pca_extractor(moments(mean, scatter), 2)(features)


def factors_of(codes):
    """Three values and two, for as many examples as there are codes, if they are codes."""
    num = len(codes) if isinstance(codes, jax.Array) else 4
    return jnp.stack([jnp.arange(num) % 3, jnp.arange(num) % 2], axis=1)


def with_factors(function):
    return lambda codes: function(codes, factors_of(codes), num_values=(3, 2), num_bins=4)


SET, OTHER = (7, 3), (6, 3)
ROWS: dict[str, Row] = {
    "accuracy": Row(lambda logits: M.accuracy(logits, labels_of(logits)), (ROW,)),
    "accuracy of the top two": Row(lambda logits: M.accuracy(logits, labels_of(logits), top=2), (ROW,)),
    "bootstrap": Row(lambda examples: M.bootstrap(jnp.mean, examples, KEY, num=20), (B,)),
    "within_class_variety": Row(
        lambda features: M.within_class_variety(features, labels_of(features), num_classes=3), (ROW,)
    ),
    "classification_accuracy_score": Row(classified, (ROW, ROW)),
    "completeness": Row(M.completeness, (MATRIX,), batch=False),
    "covariance": Row(lambda scatter: M.covariance(moments(scatter[0], scatter)), (MATRIX,), batch=False),
    "density_coverage": Row(functools.partial(M.density_coverage, k=2), (SET, OTHER)),
    "disentanglement": Row(M.disentanglement, (MATRIX,), batch=False),
    "equivariance": Row(lambda *sums: M.equivariance(M.MaskedErrors(*sums)), ((), ()), batch=False),
    "factor_vae_score": Row(
        lambda codes: M.factor_vae_score(codes, factors_of(codes), KEY, num_votes=(9, 9), size=4), (SET,)
    ),
    "frechet_distance": Row(
        lambda *parts: M.frechet_distance(moments(*parts[:2]), moments(*parts[2:])),
        ((3,), MATRIX, (3,), MATRIX),
        batch=False,
    ),
    "gaussian_frechet_distance": Row(symmetric(M.gaussian_frechet_distance), ((3,), MATRIX, (3,), MATRIX), batch=False),
    "holding_balls": Row(M.holding_balls, (OTHER, SET, SET[:1])),
    "hole_psnr": Row(functools.partial(M.hole_psnr, data_range=1.0), (IMAGES, IMAGES, (*IMAGES[:3], 1))),
    "inception_inputs": Row(lambda images: M.inception_inputs(images, (0.0, 1.0)), ((1, 8, 9, 3),)),
    "inception_scores": Row(functools.partial(M.inception_scores, num_splits=2), (SET,)),
    "kernel_distance": Row(M.kernel_distance, (SET, OTHER)),
    "kernel_distances": Row(lambda x, y: M.kernel_distances(x, y, KEY, num_subsets=20, subset_size=3), (SET, OTHER)),
    "enlarge": Row(M.enlarge, ((2, 4, 4, 1),)),
    "laplacian_pyramid": Row(lambda images: M.laplacian_pyramid(images, 2), ((2, 8, 8, 1),)),
    "limit_as_rotated": Row(lambda images, angles: M.limit_as_rotated(images, angles)[0], ((4, 13, 13, 1), B)),
    "lpips": Row(lambda weights, x, y: M.lpips(lambda x: [x], [weights], x, y), ((2,), IMAGES, IMAGES)),
    "lpips_inputs": Row(M.lpips_inputs, ((4, 3, 3, 1),)),
    "luminance": Row(M.luminance, ((4, 3, 3, 3),)),
    "merge": Row(
        # The mean of all does not depend on how they scatter.
        lambda *parts: M.merge(moments(*parts[:2]), moments(*parts[2:])).scatter,
        ((3,), MATRIX, (3,), MATRIX),
        batch=False,
    ),
    "micro_f1": Row(lambda logits: M.micro_f1(logits, marks_of(logits)), (ROW,)),
    "macro_f1": Row(lambda logits: M.macro_f1(logits, marks_of(logits)), (ROW,)),
    "mode_coverage": Row(functools.partial(M.mode_coverage, stddev=0.5), (SET, (2, 3))),
    "modularity": Row(M.modularity, (MATRIX,), batch=False),
    "moments": Row(M.moments, (SET,)),
    "ms_ssim": Row(MS_SSIM, (IMAGES, IMAGES)),
    "ms_ssim_diversity": Row(
        lambda images: M.ms_ssim_diversity(images, KEY, data_range=1.0, num_pairs=8), ((2, 16, 16, 1),)
    ),
    "mutual_information": Row(with_factors(M.mutual_information), (SET,)),
    "mutual_information_gap": Row(with_factors(M.mutual_information_gap), (SET,)),
    "nearest_neighbor_accuracy": Row(M.nearest_neighbor_accuracy, (OTHER, OTHER)),
    "nearest_neighbors": Row(M.nearest_neighbors, (SET, OTHER)),
    "neighbor_distances": Row(functools.partial(M.neighbor_distances, k=2), (SET,)),
    "neighbor_distances to the nearest": Row(functools.partial(M.neighbor_distances, k=1), (SET,)),
    "patch_descriptors": Row(lambda images: M.patch_descriptors(images, KEY, num=1, size=5), ((4, 5, 5, 2),)),
    "pca_extractor": Row(projected, ((3,), MATRIX, SET), batch=False),
    "percentile_interval": Row(M.percentile_interval, (B,)),
    "perceptual_path_lengths": Row(lengths, (ROW, ROW, B)),
    "pixel_bits_per_dim": Row(lambda nll: M.pixel_bits_per_dim(nll, 3, step=1 / 256), (B,)),
    "precision_recall": Row(functools.partial(M.precision_recall, k=2), (SET, OTHER)),
    "predictability_gap": Row(M.predictability_gap, (MATRIX,), batch=False),
    "psnr": Row(functools.partial(M.psnr, data_range=1.0), (IMAGES, IMAGES)),
    "pyramid_distances": Row(distances_of_whole_images, ((4, 5, 5, 2), (4, 5, 5, 2))),
    "raw_pixels": Row(M.raw_pixels, (IMAGES,)),
    "resize_bilinear": Row(lambda images: M.resize_bilinear(images, 10, 12), (IMAGES,)),
    "retrieval_accuracy": Row(
        lambda scores: M.retrieval_accuracy(scores, jnp.eye(3, dtype=bool)), (MATRIX,), batch=False
    ),
    "retrieval_accuracy among two": Row(
        lambda scores: M.retrieval_accuracy(scores, jnp.eye(3, dtype=bool), among=2), (MATRIX,), batch=False
    ),
    "rotate": Row(lambda images, angles: M.rotate(images, angles)[0], ((4, 15, 15, 1), B)),
    "shift": Row(lambda images: M.shift(images, jnp.zeros((4, 2), jnp.int32))[0], (IMAGES,)),
    "shift_subpixel": Row(lambda images, offsets: M.shift_subpixel(images, offsets)[0], ((4, 8, 8, 1), (4, 2))),
    "small_sample_frechet_distance": Row(M.small_sample_frechet_distance, (SET, OTHER)),
    "squared_correlations": Row(lambda codes: M.squared_correlations(codes, factors_of(codes)), (SET,)),
    "squared_errors": Row(lambda x, y, mask: M.squared_errors(x, y, mask).squared, (IMAGES, IMAGES, IMAGES[:3])),
    "ssim": Row(functools.partial(M.ssim, data_range=1.0, window=3), (IMAGES, IMAGES)),
    "trimmed_mean": Row(M.trimmed_mean, (B,)),
    "without_border": Row(lambda images: M.without_border(images, 0), (IMAGES,)),
}
WITHOUT_ARRAYS = {
    "grid_modes": "of numbers alone",
    "no_moments": "of numbers alone",
    "ring_modes": "of numbers alone",
}
