"""Mutations that change no result, each with the reason: nothing could make a test go red."""

import re

ALL = "every change"
SYMMETRIC = "symmetric in the two"
LAYOUT = "advice to the compiler: where a state lies between the steps of one dispatch"
PROCESSES = "in several processes alone, which tests/experiments/test_distributed.py starts without the mutation"
UNSELECTED = "in the branch of a where that is not selected: any finite number does"
NEAR = "any power of two near the largest value does"
FREE = "any number that no dropout layer counts to does"
DISCARDED = "outputs of a pass that is made for its variables"
ZEROS = "of zeros"
PAIRS = "both are pairs: of rows and columns, or of images and kernel"

REASONS = {
    ("attacks.project", "lengths > attack.epsilon -> lengths >= attack.epsilon"): "on the sphere the factor is 1",
    ("attacks.project", "1.0 -> 2.0 in jnp.where(lengths == 0, 1.0, lengths)"): UNSELECTED,
    ("attacks.project", "0 -> 1 in lengths == 0"): "0 / 0 in the branch of a where that is not selected",
    ("diffusion.grids._first", "log_snr >= least_log_snr -> log_snr > least_log_snr"): (
        "at that very log SNR the time is `start`, up to rounding"
    ),
    ("losses.softmax.softmax_generator", "swap (fake, real)"): SYMMETRIC,
    ("losses.softmax.importance_weights", "drop axis= of softmax(scores, axis=1)"): "the default axis is the last",
    ("losses.features.feature_matching", "swap (fake, real)"): SYMMETRIC,
    ("losses.features.maximum_mean_discrepancy", "swap (fake, real)"): SYMMETRIC,
    (
        "losses.features.maximum_mean_discrepancy",
        "kernel(real, fake) -> kernel(fake, real)",
    ): "kernels are symmetric",
    (
        "losses.features.minibatch_discrimination",
        "axis=1 -> axis=0 in axis=1",
    ): "the matrix of distances is symmetric",
    ("losses.penalties.unit_length", "1.0 -> 2.0 in jnp.where(lengths == 0, 1.0, lengths)"): ("divides zeros"),
    (
        "losses.information.cross_entropy",
        "jnp.take_along_axis(logits, rows, axis=1, mode='fill', fi... -> "
        "jnp.take_along_axis(logits, rows, mode='fill', fill_value...",
    ): "the default axis is the last, which is 1",
    ("losses.information.cross_entropy", "chosen.squeeze(axis=1) -> chosen.squeeze()"): (
        "of a batch of one it leaves a scalar, which is subtracted alike"
    ),
    ("losses.information.projection_score", "swap (embeddings, features)"): SYMMETRIC,
    ("losses.information.projection_score", "swap (products, scores)"): SYMMETRIC,
    (
        "losses.discretized.discretized_logistic_nll",
        "targets > high - half -> targets >= high - half",
    ): "no level lies on the border between two levels",
    ("losses.likelihoods.gaussian_nll", "swap (targets, mean)"): SYMMETRIC,
    ("losses.path_length.path_lengths", "swap (directions, images)"): SYMMETRIC,
    (
        "losses.path_length.path_lengths",
        "flip the sign of the value",
    ): "of the projection, whose gradient has the same norm",
    ("losses.penalties.safe_norm", "1.0 -> 2.0 in jnp.where(zero, 1.0, largest)"): UNSELECTED,
    ("losses.penalties.safe_norm", "1.0 -> 2.0 in jnp.where(zero, 1.0, squared)"): UNSELECTED,
    ("losses.reconstruction.charbonnier_error", "swap (targets, outputs)"): SYMMETRIC,
    ("losses.reconstruction.context_error", "swap (targets, outputs, weights)"): SYMMETRIC,
    ("losses.reconstruction.cycle_consistency", "swap (backward, forward)"): SYMMETRIC,
    (
        "losses.reconstruction.cycle_consistency",
        "mean_absolute_error(to_x(to_y(images_x)), images_x) -> mean_absolute_error(images_x, to_x(to_y(images_x)))",
    ): SYMMETRIC,
    (
        "losses.reconstruction.cycle_consistency",
        "mean_absolute_error(to_y(to_x(images_y)), images_y) -> mean_absolute_error(images_y, to_y(to_x(images_y)))",
    ): SYMMETRIC,
    (
        "losses.reconstruction.identity_mapping",
        "mean_absolute_error(to_y(images_y), images_y) -> mean_absolute_error(images_y, to_y(images_y))",
    ): SYMMETRIC,
    (
        "losses.reconstruction.identity_mapping",
        "mean_absolute_error(to_x(images_x), images_x) -> mean_absolute_error(images_x, to_x(images_x))",
    ): SYMMETRIC,
    ("losses.reconstruction.identity_mapping", "swap (kept_y, kept_x)"): SYMMETRIC,
    ("losses.reconstruction.mean_absolute_error", "swap (targets, outputs)"): SYMMETRIC,
    ("losses.reconstruction.mean_squared_error", "swap (targets, outputs)"): SYMMETRIC,
    (
        "losses.regularizers.balanced_consistency_penalty",
        "swap (augmented_real, real, fake, augmented_fake)",
    ): SYMMETRIC,
    ("losses.regularizers.consistency_penalty", "swap (augmented, scores)"): SYMMETRIC,
    ("losses.similarity._halve", "flip the sign of the value"): "of both images: their similarity stays",
    ("losses.similarity._power", "1.0 -> 2.0 in jnp.where(cut, 1.0, base)"): UNSELECTED,
    ("losses.similarity._similarity", "swap (mean_y, mean_x, xx, yy, xy)"): SYMMETRIC,
    ("losses.similarity.ms_ssim_error", "swap (targets, outputs)"): SYMMETRIC,
    ("losses.similarity.ms_ssim_error", "swap (targets, outputs) (2)"): SYMMETRIC,
    ("losses.similarity.ssim_error", "swap (structure, luminance)"): SYMMETRIC,
    ("losses.similarity.ssim_error", "swap (targets, outputs)"): SYMMETRIC,
    ("losses.transport.earth_movers_distance", "swap (q, p)"): SYMMETRIC,
    ("losses.transport.sliced_wasserstein", "swap (projected_y, projected_x)"): SYMMETRIC,
    ("losses.transport.sliced_wasserstein", "swap (y, x)"): SYMMETRIC,
    ("losses.transport.wasserstein_1d", "swap (y, x)"): SYMMETRIC,
    ("losses.spectral._matrix", "flip the sign of the value"): "the Gram matrix and sigma are even",
    ("losses.spectral._normalized", "1.0 -> 2.0 in jnp.where(norm == 0, 1.0, norm)"): UNSELECTED,
    ("losses.spectral._normalized", "0 -> 1 in norm == 0 (2)"): (
        "0 / 0 in the branch of a where that is not selected, without a gradient"
    ),
    (
        "losses.spectral._size",
        "drop the stop-gradient of jnp.abs(values).max()",
    ): "the exponent is an integer, which has no gradient",
    ("losses.spectral._size", "double the value"): NEAR,
    ("losses.spectral._size", "exponent - 1 -> exponent + 1"): NEAR,
    ("losses.spectral._size", "1 -> 2 in exponent - 1"): NEAR,
    ("losses.spectral.spectral_normalize", "1.0 -> 2.0 in jnp.where(sigma == 0, 1.0, sigma)"): UNSELECTED,
    (
        "losses.spectral._power_method",
        "_product(v, _product(matrix, u)) -> _product(_product(matrix, u), v)",
    ): "an inner product of two vectors",
    ("moving_averages._decay", "1.0 -> 2.0 in jnp.where(half_life > 0, half_life, 1.0)"): UNSELECTED,
    ("moving_averages._decay", "half_life > 0 -> half_life >= 0 (2)"): (
        "0.5 ** (1 / 0) is 0, in the branch of a where that is not selected, without a gradient"
    ),
    ("nets.diff_augment.STREAM", "2 ** 31 - 2 -> 2 ** 31 + 2"): FREE,
    ("nets.diff_augment.STREAM", "31 -> 32 in 2 ** 31"): FREE,
    ("nets.instance_noise.STREAM", "2 ** 31 - 1 -> 2 ** 31 + 1"): FREE,
    ("nets.instance_noise.STREAM", "31 -> 32 in 2 ** 31"): FREE,
    ("nets.instance_noise.STREAM", "1 -> 2 in 2 ** 31 - 1"): FREE,
    (
        "nets.norm.normalize",
        "drop feature_axes= of nn.LayerNorm(reduction_axes=axes, feature_axes=-1, use_sc...",
    ): "the last axis is flax's default",
    ("nets.classifier.ConvClassifier.__call__", "drop mode= of body(images, (self.width,), mode=mode)"): (
        "the critic inside has neither a norm nor dropout"
    ),
    ("nets.convolution._vary_alike", "strict=True -> strict=False in strict=True"): PAIRS,
    ("nets.convolution_algebra.plain_input_grad", "strict=True -> strict=False in strict=True"): PAIRS,
    ("nets.lsgan.LSGANGenerator.__call__", "strict=True -> strict=False in strict=True"): (
        "another number of strides is refused before"
    ),
    (
        "diffusion.denoising._condition",
        "Condition | Context -> Condition",
    ): "a model of captions learns of no augmentation, and is given back what it is told before",
    ("nets.noise_maps.noise_map", "flip the sign of the value (2)"): "noise is as likely as its negative",
    (
        "translation.discogan.matching",
        "exchange real and fake in jax.tree.map(distance_of_means, real, fake)",
    ): SYMMETRIC,
    ("nets.mlp.MLP.__call__", "default=1 -> default=2 in default=1"): "of no layers: any number that is not refused",
    (
        "parallel.inside.take",
        "len(batch) - 1 -> len(batch) + 1",
    ): "rows beyond the last are clipped again, and not taken",
    (
        "train_state.unroll",
        "jax.lax.scan(step, state, length=num_steps)[0] if num_ste... -> "
        "jax.lax.scan(step, state, length=num_steps)[0]",
    ): "a scan of no steps gives the state, too",
    ("train_state.blank", "flip the sign of the value"): ZEROS,
    ("train_state.blank", "double the value"): ZEROS,
    ("train_state._init_as", "flip the sign of the value"): DISCARDED,
    ("train_state._init_as", "double the value"): DISCARDED,
    ("parallel.inside._devices_in_sight", "flip the sign of the value"): "-4 is not 1, and divides what 4 divides",
    (
        "nets.spectral.Spectral.__call__",
        "drop name= of self.net.clone(parent=None, name=None)",
    ): "a network without a parent tells nobody its name",
    ("metrics._samples.BLOCK", "1024 -> 1025 in BLOCK = 1024"): "how many rows are in memory at a time",
    ("parallel.drivers.program", "0 -> 1 in jax.random.key(0)"): "of the key the shape is taken",
    ("parallel.drivers._jitted", "drop the step: if shard_state"): LAYOUT,
    ("parallel.drivers._jitted", "drop the step: state = jax.lax.with_sharding_constraint(state, places(st..."): LAYOUT,
    (
        "parallel.drivers.shard_map",
        "drop compiler_options= of jax.jit(mapped, donate_argnums=0, compiler_options=compil...",
    ): "advice to the compiler",
    ("parallel.drivers.compiler_options", ALL): "advice to the compiler",
    (
        "parallel.drivers.compiled",
        "drop compiler_options= of jax.jit(function, compiler_options=compiler_options())",
    ): "advice to the compiler",
    ("parallel.drivers.pmap", "drop the step: if mesh.is_multi_process"): PROCESSES,
    ("parallel.drivers.pmap", "flip the sign of the value (3)"): PROCESSES,
    ("parallel.drivers.pmap", "double the value (3)"): PROCESSES,
    ("parallel.drivers.pmap", "exchange mapped and mesh in _each_over_its_own(mapped, mesh, steps)"): PROCESSES,
    ("parallel.drivers._each_over_its_own", ALL): PROCESSES,
    ("parallel.layout.batch_sharding", "1 -> 2 in 1 if stacked else None"): "any number of steps has the same spec",
    ("parallel.layout.global_batch", "drop the step: if cut.is_fully_addressable"): PROCESSES,
    ("parallel.layout.global_batch", "flip the sign of the value (2)"): PROCESSES,
    ("parallel.layout.global_batch", "double the value (2)"): PROCESSES,
    (
        "parallel.layout._max_over_processes",
        "drop out_shardings= of jax.jit(jnp.max, out_shardings=NamedSharding(mesh, Partit...",
    ): PROCESSES,
    ("parallel.layout.placed", "drop the step: if jax.process_count() == 1"): PROCESSES,
    ("parallel.layout.placed", "jax.process_count() == 1 -> jax.process_count() != 1"): PROCESSES,
    ("parallel.layout.placed", "1 -> 2 in jax.process_count() == 1"): PROCESSES,
    ("parallel.layout.placed", "flip the sign of the value (3)"): PROCESSES,
    ("parallel.layout.placed", "double the value (3)"): PROCESSES,
    (
        "parallel.layout.placed",
        "broadcast_placements(places, tree) -> broadcast_placements(tree, places)",
    ): PROCESSES,
    (
        "parallel.layout._placed_by_each",
        "drop the step: if isinstance(leaf, jax.Array) and (not leaf.is_fully_addres...",
    ): PROCESSES,
    (
        "parallel.layout._placed_by_each",
        "isinstance(leaf, jax.Array) and (not leaf.is_fully_addres... -> isinstance(leaf, jax.Array)",
    ): PROCESSES,
    ("parallel.layout._placed_by_each", "not leaf.is_fully_addressable -> leaf.is_fully_addressable"): PROCESSES,
    ("parallel.layout._placed_by_each", "flip the sign of the value"): PROCESSES,
    ("parallel.layout._placed_by_each", "double the value"): PROCESSES,
    ("parallel.layout._lies", "strict=True -> strict=False in strict=True"): "there is a place for each leaf",
    ("nets.text.characters._columns", "256 -> 257 in np.full(256, -1, np.int32)"): "no byte is above 255",
    ("gans.latent_consistency.LATENTS", "7 -> 8 in LATENTS = 7"): FREE,
    (
        "gans.latent_consistency.perturbed",
        "latents + config.regularization.latent.std * noise.at[:, ... -> "
        "latents - config.regularization.latent.std * noise.at[:, ...",
    ): "noise is as likely as its negative",
    ("gans.latent_consistency.with_latent_consistency", "swap (others, outputs)"): SYMMETRIC,
    ("autoencoders.flow_vae.update", "3 -> 4 in jax.random.split(key, 3)"): "the first keys are the same of any number",
    ("autoencoders.flow_vae.to_latents", "1 -> 2 in (images.shape[0], 1, config.latent_dim)"): (
        "of the draws of an image the first is taken"
    ),
}

SYMMETRIC_FUNCTIONS = {
    formula.rpartition(".")[2]
    for (formula, change), reason in REASONS.items()
    if reason == SYMMETRIC
    and formula.startswith(("losses.", "metrics."))
    and re.fullmatch(r"swap \(\w+, \w+\)", change)
} | {"output_distance"}
"""Of two arguments, in any order: those of losses and metrics with that excuse, and one of a GAN."""


STREAMS = {
    *("gans.ali.ENCODER", "gans.augmented_game.AUGMENTED", "gans.clustergan.ENCODER", "gans.ebgan.DECODER"),
    *("gans.drawn_penalties.(AROUND, BETWEEN)", "gans.improved_gan.LABELLED", "gans.latent_consistency.LATENTS"),
    *("gans.latent_encoder.REAL",),
    *("gans.regularization.CONSISTENCY", "text_to_image.game.OTHER", "text_to_image.gan_cls.BETWEEN"),
    *("text_to_image.stackgan.AUGMENTATION", "translation.context_encoder.GENERATOR"),
    *("translation.enlargement.GENERATOR", "translation.pix2pix.GENERATOR", "translation.sigan.EMBEDDING"),
    "translation.tp_gan.(GLOBAL, IDENTITY, LOCAL)",
}
"""Numbers that set the keys of a pass apart: any will do that no other pass of the update has."""


def reason_of(formula: str, change: str) -> str | None:
    """Why a mutation changes no result, or None: its own reason, or that of exchanged arguments of such a function."""
    call = re.fullmatch(r"(\w+)\((\w+), (\w+)\) -> \1\(\3, \2\)", change)
    if call and call[1] in SYMMETRIC_FUNCTIONS:
        return SYMMETRIC
    if formula in STREAMS and re.match(r"\d+ -> \d+ in ", change):
        return "any stream that no other pass has"
    return REASONS.get((formula, change), REASONS.get((formula, ALL)))
