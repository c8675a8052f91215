"""Mutations that change no result, each with the reason: nothing could make a test go red."""

SYMMETRIC = "symmetric in the two"
UNSELECTED = "in the branch of a where that is not selected: any finite number does"

REASONS = {
    ("features.feature_matching", "swap (fake, real)"): SYMMETRIC,
    ("features.maximum_mean_discrepancy", "swap (fake, real)"): SYMMETRIC,
    (
        "features.maximum_mean_discrepancy",
        "kernel(real, fake) -> kernel(fake, real)",
    ): "kernels are symmetric",
    (
        "features.minibatch_discrimination",
        "axis=1 -> axis=0 in axis=1",
    ): "the matrix of distances is symmetric",
    (
        "features.minibatch_stddev",
        "min(group_size, len(features)) -> min(len(features), group_size)",
    ): SYMMETRIC,
    ("features.pull_away", "1.0 -> 2.0 in jnp.where(norms > 0, norms, 1.0)"): ("divides features that are zero"),
    (
        "information.cross_entropy",
        "jnp.take_along_axis(logits, rows, axis=1, mode='fill', fi... -> "
        "jnp.take_along_axis(logits, rows, mode='fill', fill_value...",
    ): "the default axis is the last, which is 1",
    ("information.cross_entropy", "chosen.squeeze(axis=1) -> chosen.squeeze()"): (
        "of a batch of one it leaves a scalar, which is subtracted alike"
    ),
    ("information.projection_score", "swap (embeddings, features)"): SYMMETRIC,
    ("information.projection_score", "swap (products, scores)"): SYMMETRIC,
    (
        "likelihoods.discretized_logistic_nll",
        "targets > high - half -> targets >= high - half",
    ): "no level lies on the border between two levels",
    (
        "likelihoods.free_bits",
        "jnp.maximum(kl.mean(axis=0), minimum) -> jnp.maximum(minimum, kl.mean(axis=0))",
    ): SYMMETRIC,
    ("likelihoods.gaussian_nll", "swap (targets, mean)"): SYMMETRIC,
    ("path_length.path_lengths", "swap (directions, images)"): SYMMETRIC,
    (
        "path_length.path_lengths",
        "flip the sign of the value",
    ): "of the projection, whose gradient has the same norm",
    ("penalties.safe_norm", "1.0 -> 2.0 in jnp.where(zero, 1.0, largest)"): UNSELECTED,
    ("penalties.safe_norm", "1.0 -> 2.0 in jnp.where(zero, 1.0, squared)"): UNSELECTED,
    ("reconstruction.charbonnier_error", "swap (targets, outputs)"): SYMMETRIC,
    ("reconstruction.context_error", "swap (targets, outputs, weights)"): SYMMETRIC,
    ("reconstruction.cycle_consistency", "swap (backward, forward)"): SYMMETRIC,
    (
        "reconstruction.cycle_consistency",
        "mean_absolute_error(to_x(to_y(images_x)), images_x) -> mean_absolute_error(images_x, to_x(to_y(images_x)))",
    ): SYMMETRIC,
    (
        "reconstruction.cycle_consistency",
        "mean_absolute_error(to_y(to_x(images_y)), images_y) -> mean_absolute_error(images_y, to_y(to_x(images_y)))",
    ): SYMMETRIC,
    (
        "reconstruction.identity_mapping",
        "mean_absolute_error(to_y(images_y), images_y) -> mean_absolute_error(images_y, to_y(images_y))",
    ): SYMMETRIC,
    (
        "reconstruction.identity_mapping",
        "mean_absolute_error(to_x(images_x), images_x) -> mean_absolute_error(images_x, to_x(images_x))",
    ): SYMMETRIC,
    ("reconstruction.identity_mapping", "swap (kept_y, kept_x)"): SYMMETRIC,
    ("reconstruction.mean_absolute_error", "swap (targets, outputs)"): SYMMETRIC,
    ("reconstruction.mean_squared_error", "swap (targets, outputs)"): SYMMETRIC,
    (
        "regularizers.balanced_consistency_penalty",
        "swap (augmented_real, real, fake, augmented_fake)",
    ): SYMMETRIC,
    ("regularizers.consistency_penalty", "swap (augmented, scores)"): SYMMETRIC,
    ("similarity._halve", "flip the sign of the value"): "of both images: their similarity stays",
    ("similarity._power", "1.0 -> 2.0 in jnp.where(cut, 1.0, base)"): UNSELECTED,
    ("similarity._similarity", "swap (mean_y, mean_x, xx, yy, xy)"): SYMMETRIC,
    ("similarity.ms_ssim_error", "swap (targets, outputs)"): SYMMETRIC,
    ("similarity.ms_ssim_error", "swap (targets, outputs) (2)"): SYMMETRIC,
    ("similarity.ssim_error", "swap (structure, luminance)"): SYMMETRIC,
    ("similarity.ssim_error", "swap (targets, outputs)"): SYMMETRIC,
    ("transport.earth_movers_distance", "swap (q, p)"): SYMMETRIC,
    ("transport.sliced_wasserstein", "swap (projected_y, projected_x)"): SYMMETRIC,
    ("transport.sliced_wasserstein", "swap (y, x)"): SYMMETRIC,
    ("transport.wasserstein_1d", "swap (y, x)"): SYMMETRIC,
    ("weights._matrix", "flip the sign of the value"): "the Gram matrix and sigma are even",
    ("weights._normalized", "1.0 -> 2.0 in jnp.where(norm == 0, 1.0, norm)"): UNSELECTED,
    ("weights._normalized", "0 -> 1 in norm == 0 (2)"): (
        "0 / 0 in the branch of a where that is not selected, without a gradient"
    ),
    (
        "weights._size",
        "drop the stop-gradient of jnp.abs(values).max()",
    ): "the exponent is an integer, which has no gradient",
    ("weights.spectral_normalize", "1.0 -> 2.0 in jnp.where(sigma == 0, 1.0, sigma)"): UNSELECTED,
    (
        "weights._power_method",
        "_product(v, _product(matrix, u)) -> _product(_product(matrix, u), v)",
    ): "an inner product of two vectors",
}
