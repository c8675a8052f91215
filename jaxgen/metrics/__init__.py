"""Metrics: pure functions of images, features, logits, or statistics of them.

Importing loads JAX alone. A feature extractor is any callable; see `jaxgen.metrics.features` for those at hand.
"""

from jaxgen.metrics.classification import (
    accuracy,
    classification_accuracy_score,
    macro_f1,
    micro_f1,
    within_class_variety,
)
from jaxgen.metrics.disentanglement import (
    completeness,
    disentanglement,
    factor_vae_score,
    modularity,
    mutual_information,
    mutual_information_gap,
    predictability_gap,
    squared_correlations,
)
from jaxgen.metrics.equivariance import (
    MaskedErrors,
    equivariance,
    limit_as_rotated,
    rotate,
    shift,
    shift_subpixel,
    squared_errors,
)
from jaxgen.metrics.features import (
    inception_inputs,
    pca_extractor,
    raw_pixels,
    resize_bilinear,
)
from jaxgen.metrics.frechet import (
    frechet_distance,
    gaussian_frechet_distance,
    small_sample_frechet_distance,
)
from jaxgen.metrics.inception_score import (
    inception_scores,
)
from jaxgen.metrics.intervals import (
    Interval,
    bootstrap,
    percentile_interval,
)
from jaxgen.metrics.kernel import (
    kernel_distance,
    kernel_distances,
)
from jaxgen.metrics.latent_paths import (
    perceptual_path_lengths,
    trimmed_mean,
)
from jaxgen.metrics.likelihood import (
    pixel_bits_per_dim,
)
from jaxgen.metrics.luminance import (
    luminance,
    without_border,
)
from jaxgen.metrics.manifolds import (
    DensityCoverage,
    PrecisionRecall,
    density_coverage,
    holding_balls,
    precision_recall,
)
from jaxgen.metrics.modes import (
    ModeCoverage,
    grid_modes,
    mode_coverage,
    ring_modes,
)
from jaxgen.metrics.neighbors import (
    Neighbors,
    TwoSample,
    nearest_neighbor_accuracy,
    nearest_neighbors,
    neighbor_distances,
)
from jaxgen.metrics.perceptual import (
    lpips,
    lpips_inputs,
)
from jaxgen.metrics.pyramid import (
    Patches,
    enlarge,
    laplacian_pyramid,
    patch_descriptors,
    pyramid_distances,
)
from jaxgen.metrics.retrieval import (
    retrieval_accuracy,
)
from jaxgen.metrics.similarity import (
    hole_psnr,
    ms_ssim,
    ms_ssim_diversity,
    psnr,
    ssim,
)
from jaxgen.metrics.statistics import (
    Moments,
    covariance,
    merge,
    moments,
    no_moments,
)

__all__ = [
    "DensityCoverage",
    "Interval",
    "MaskedErrors",
    "ModeCoverage",
    "Moments",
    "Neighbors",
    "Patches",
    "PrecisionRecall",
    "TwoSample",
    "accuracy",
    "bootstrap",
    "classification_accuracy_score",
    "completeness",
    "covariance",
    "density_coverage",
    "disentanglement",
    "enlarge",
    "equivariance",
    "factor_vae_score",
    "frechet_distance",
    "gaussian_frechet_distance",
    "grid_modes",
    "holding_balls",
    "hole_psnr",
    "inception_inputs",
    "inception_scores",
    "kernel_distance",
    "kernel_distances",
    "laplacian_pyramid",
    "limit_as_rotated",
    "lpips",
    "lpips_inputs",
    "luminance",
    "macro_f1",
    "merge",
    "micro_f1",
    "mode_coverage",
    "modularity",
    "moments",
    "ms_ssim",
    "ms_ssim_diversity",
    "mutual_information",
    "mutual_information_gap",
    "nearest_neighbor_accuracy",
    "nearest_neighbors",
    "neighbor_distances",
    "no_moments",
    "patch_descriptors",
    "pca_extractor",
    "percentile_interval",
    "perceptual_path_lengths",
    "pixel_bits_per_dim",
    "precision_recall",
    "predictability_gap",
    "psnr",
    "pyramid_distances",
    "raw_pixels",
    "resize_bilinear",
    "retrieval_accuracy",
    "ring_modes",
    "rotate",
    "shift",
    "shift_subpixel",
    "small_sample_frechet_distance",
    "squared_correlations",
    "squared_errors",
    "ssim",
    "trimmed_mean",
    "within_class_variety",
    "without_border",
]
