"""Every public loss with the float arrays that it takes, small and in range, to spoil one at a time."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxgen import losses as L
from jaxgen.losses.divergences import DIVERGENCES


class Row(NamedTuple):
    """A function of its float arrays alone."""

    function: Callable[..., Any]
    shapes: tuple[tuple[int, ...], ...]  # in the order of the arguments; (4, ...) is the batch
    batch: bool = True  # the arrays with axes have a batch axis

    def arrays(self) -> list[np.ndarray]:
        """Between 0.1 and 0.9."""
        rng = np.random.default_rng(0)
        return [rng.uniform(0.1, 0.9, shape).astype(np.float32) for shape in self.shapes]


B, ROW, IMAGES = (4,), (4, 3), (4, 5, 6, 2)
LABELS = np.array([0, 1, 2, 1], np.int64)


def labels_of(logits):
    """As many labels as there are logits, if they are logits."""
    return jnp.asarray(LABELS[: len(logits)] if isinstance(logits, jax.Array) else LABELS)


def critic(points):
    return jnp.tanh(points).sum(axis=tuple(range(1, points.ndim)))


def generator(latents):
    return jnp.sin(latents)[:, :, None, None]


def auxiliary(real, fake):
    return L.auxiliary_classifier(real, labels_of(real), fake, labels_of(fake))


OF_PAIRS = ("relativistic", "softmax")  # whose generators see the real scores, too
SINGLE = [n for n in L.__all__ if n.endswith("_generator") and not n.startswith(OF_PAIRS)]
PAIRED = [n for n in L.__all__ if n.endswith(("_discriminator", "_critic")) or n.startswith(OF_PAIRS)]
KL, PEARSON = DIVERGENCES["kl"], DIVERGENCES["pearson"]
SSIM = functools.partial(L.ssim_error, data_range=1.0, window=3)
MS_SSIM = functools.partial(L.ms_ssim_error, data_range=1.0, window=2, weights=(0.4, 0.6))

ROWS: dict[str, Row] = {
    **{name: Row(getattr(L, name), (B,)) for name in SINGLE},
    **{name: Row(getattr(L, name), (B, B)) for name in PAIRED},
    "energy_discriminator": Row(functools.partial(L.energy_discriminator, margin=1.0), (B, B)),
    "f_gan_discriminator": Row(functools.partial(L.f_gan_discriminator, divergence=KL), (B, B)),
    "f_gan_generator": Row(functools.partial(L.f_gan_generator, divergence=KL), (B,)),
    "f_divergence": Row(functools.partial(L.f_divergence, divergence=PEARSON), (ROW, ROW)),
    "balanced_consistency_penalty": Row(L.balanced_consistency_penalty, (B, B, B, B)),
    "bernoulli_nll": Row(L.bernoulli_nll, (ROW, ROW)),
    "bits_per_dim": Row(lambda nll: L.bits_per_dim(nll, 3), (B,)),
    "auxiliary_classifier": Row(auxiliary, (ROW, ROW)),
    "boundary_seeking_policy": Row(L.boundary_seeking_policy, (ROW, ROW)),
    "capacity_penalty": Row(L.capacity_penalty, (B, ())),
    "charbonnier_error": Row(L.charbonnier_error, (ROW, ROW)),
    "clip_weights": Row(lambda w: L.clip_weights({"w": w}, 0.5), (ROW,), batch=False),
    "consistency_penalty": Row(L.consistency_penalty, (B, B)),
    "context_error": Row(L.context_error, (IMAGES, IMAGES, IMAGES[:3])),
    "context_weights": Row(functools.partial(L.context_weights, window=3), (IMAGES[:3],)),
    "contrastive_embedding": Row(L.contrastive_embedding, (ROW, ROW, ())),
    "cross_entropy": Row(lambda logits: L.cross_entropy(logits, labels_of(logits)), (ROW,)),
    "cycle_consistency": Row(functools.partial(L.cycle_consistency, jnp.sin, jnp.tanh), (ROW, ROW)),
    "discretized_gaussian_nll": Row(L.discretized_gaussian_nll, (ROW, ROW, ROW)),
    "discretized_logistic_nll": Row(L.discretized_logistic_nll, (ROW, ROW, ROW)),
    "divergence_penalty": Row(functools.partial(L.divergence_penalty, critic), (ROW,)),
    "drift_penalty": Row(L.drift_penalty, (B,)),
    "earth_movers_distance": Row(L.earth_movers_distance, (ROW, ROW)),
    "feature_matching": Row(L.feature_matching, (ROW, ROW)),
    "free_bits": Row(lambda kl: L.free_bits(kl, 0.5), (ROW,)),
    "gaussian_kernel": Row(L.gaussian_kernel, (ROW, (5, 3))),
    "gaussian_kl": Row(L.gaussian_kl, (ROW, ROW, ROW, ROW)),
    "gaussian_nll": Row(L.gaussian_nll, (ROW, ROW, ROW)),
    "gaussian_nll of one variance": Row(L.gaussian_nll, (ROW, (), ROW)),
    "gradient_penalty": Row(functools.partial(L.gradient_penalty, critic), (ROW,)),
    "gradient_penalty on one side": Row(functools.partial(L.gradient_penalty, critic, one_sided=True), (ROW,)),
    "gram_matrix": Row(L.gram_matrix, ((4, 5, 6, 2),)),
    "historical_averaging": Row(lambda a, b: L.historical_averaging({"w": a}, {"w": b}), (ROW, ROW), batch=False),
    "identity_mapping": Row(functools.partial(L.identity_mapping, jnp.sin, jnp.tanh), (ROW, ROW)),
    "importance_weighted_bound": Row(L.importance_weighted_bound, (ROW,)),
    "importance_weights": Row(L.importance_weights, (ROW,)),
    "infogan_categorical": Row(lambda logits: L.infogan_categorical(logits, labels_of(logits)), (ROW,)),
    "infogan_gaussian": Row(L.infogan_gaussian, (ROW, ROW, ROW)),
    "infogan_uniform": Row(L.infogan_uniform, (ROW, ROW, ROW)),
    "interpolate": Row(L.interpolate, (ROW, ROW, B)),
    "inverse_multiquadratic_kernel": Row(L.inverse_multiquadratic_kernel, (ROW, (5, 3))),
    "lecam_penalty": Row(L.lecam_penalty, (B, B, (), ())),
    "lecam_penalty on one side": Row(functools.partial(L.lecam_penalty, one_sided=True), (B, B, (), ())),
    "maximum_mean_discrepancy": Row(lambda x, y: L.maximum_mean_discrepancy(x, y, L.gaussian_kernel), (ROW, (5, 3))),
    "maximum_mean_discrepancy of all pairs": Row(
        lambda x, y: L.maximum_mean_discrepancy(x, y, L.gaussian_kernel, unbiased=False), (ROW, (5, 3))
    ),
    "jensen_shannon_divergence": Row(L.jensen_shannon_divergence, (ROW, ROW)),
    "kl_divergence": Row(L.kl_divergence, (ROW, ROW)),
    "mean_absolute_error": Row(L.mean_absolute_error, (ROW, ROW)),
    "mean_squared_error": Row(L.mean_squared_error, (ROW, ROW)),
    "smooth_l1_error": Row(L.smooth_l1_error, (ROW, ROW)),
    "minibatch_discrimination": Row(L.minibatch_discrimination, ((4, 3, 2),)),
    "minibatch_stddev": Row(functools.partial(L.minibatch_stddev, group_size=2), (ROW,)),
    "ms_ssim_error": Row(MS_SSIM, (IMAGES, IMAGES)),
    "orthogonal_penalty": Row(L.orthogonal_penalty, (ROW,), batch=False),
    "orthonormal_penalty": Row(L.orthonormal_penalty, (ROW,), batch=False),
    "path_length_penalty": Row(L.path_length_penalty, (B, ())),
    "path_lengths": Row(functools.partial(L.path_lengths, generator), (ROW, (4, 3, 1, 1))),
    "perturb": Row(L.perturb, (ROW, ROW, B)),
    "polynomial_kernel": Row(L.polynomial_kernel, (ROW, (5, 3))),
    "projection_score": Row(L.projection_score, (B, ROW, ROW)),
    "pull_away": Row(L.pull_away, (ROW,)),
    "r1_penalty": Row(functools.partial(L.r1_penalty, critic), (ROW,)),
    "r2_penalty": Row(functools.partial(L.r2_penalty, critic), (ROW,)),
    "running_mean": Row(lambda a, b: L.running_mean({"w": a}, {"w": b}, 2), (ROW, ROW), batch=False),
    "safe_norm": Row(L.safe_norm, (ROW,)),
    "sliced_wasserstein": Row(L.sliced_wasserstein, (ROW, ROW, (5, 3))),
    "slopes": Row(functools.partial(L.slopes, critic), (ROW,)),
    "spectral_norm": Row(L.spectral_norm, (ROW, (3,)), batch=False),
    "spectral_normalize": Row(L.spectral_normalize, (ROW, (3,)), batch=False),
    "ssim_error": Row(SSIM, (IMAGES, IMAGES)),
    "standard_normal_kl": Row(L.standard_normal_kl, (ROW, ROW)),
    "siamese_contrastive": Row(lambda v, w: L.siamese_contrastive(v, w, labels_of(v) > 1), (ROW, ROW)),
    "structured_joint_embedding": Row(L.structured_joint_embedding, (ROW, ROW)),
    "structured_joint_embedding of the hardest": Row(
        functools.partial(L.structured_joint_embedding, hardest=True), (ROW, ROW)
    ),
    "style_error": Row(L.style_error, ((4, 5, 6, 2), (4, 5, 6, 2))),
    "total_variation_distance": Row(L.total_variation_distance, (ROW, ROW)),
    "total_variation": Row(L.total_variation, (IMAGES,)),
    "unit_length": Row(L.unit_length, (ROW,)),
    "wasserstein_1d": Row(L.wasserstein_1d, (B, B)),
    "zero_centered_penalty": Row(functools.partial(L.zero_centered_penalty, critic), (ROW,)),
}
