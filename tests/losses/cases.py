"""Every loss with generic inputs, for the laws that all of them keep."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from jaxgen import losses
from jaxgen.losses.divergences import DIVERGENCES

BATCH = 8  # divides over the 4 devices and into groups of 4


@dataclasses.dataclass(frozen=True)
class Case:
    """One row of the table."""

    name: str
    function: Callable[..., Any]  # of arrays alone
    inputs: Callable[[np.random.Generator], tuple[np.ndarray, ...]]
    separable: bool = True  # the value of an example depends on that example only
    batch: bool = True  # the first axis of every input is the batch
    constants: bool = False  # parts are held constant: finite differences see more than the gradient
    line: int = 1  # seed of a line through the inputs that crosses no kink nearby

    def arrays(self, seed: int = 0) -> tuple[np.ndarray, ...]:
        """Inputs in float64 (labels in int32), generic: off every kink."""
        return self.inputs(np.random.default_rng(seed))


def critic(points):
    """A smooth critic with slopes that differ from example to example."""
    flat = points.reshape(len(points), -1)
    weights = jnp.linspace(-1.0, 1.5, flat.shape[1], dtype=flat.dtype)
    return jnp.tanh(flat @ weights) + (flat**2).sum(axis=1) / 4


def images_of(latents):
    """A smooth generator, (B, 2) to (B, 2, 2, 1)."""
    basis = jnp.array([[1.0, 0.5, -1.0, 2.0], [0.3, -0.7, 1.1, 0.2]], latents.dtype)
    return jnp.tanh(latents @ basis).reshape(-1, 2, 2, 1)


def _normal(*shapes):
    return lambda rng: tuple(rng.normal(size=(BATCH, *shape)) for shape in shapes)


def _uniform(*shapes):
    return lambda rng: tuple(rng.uniform(0.05, 0.95, size=(BATCH, *shape)) for shape in shapes)


def _labelled(rng):
    return rng.normal(size=(BATCH, 5)), rng.integers(0, 5, BATCH).astype(np.int32)


def _bernoulli(rng):
    return rng.normal(size=(BATCH, 2, 3)), rng.uniform(size=(BATCH, 2, 3))


def _levels(rng):
    targets = rng.integers(0, 8, (BATCH, 6)) / 3.5 - 1  # 8 levels from -1 to 1
    return rng.normal(size=(BATCH, 6)), rng.normal(-1, 0.3, (BATCH, 6)), targets


def _weight(rng):
    return (rng.normal(size=(2, 3, 4)),)


def _context(rng):
    images = rng.normal(size=(2, BATCH, 4, 5, 3))
    return *images, rng.uniform(size=(BATCH, 4, 5))


def _translate(images_x, images_y):
    return losses.cycle_consistency(lambda x: x**2, jnp.tanh, images_x, images_y)


def _identity(images_x, images_y):
    return losses.identity_mapping(lambda x: x**2, jnp.tanh, images_x, images_y)


def _auxiliary(real, fake, labels):
    return losses.auxiliary_classifier(real, labels, fake, labels)


def _two_labelled(rng):
    return rng.normal(size=(BATCH, 5)), *_labelled(rng)


def _perturbed(real, noise, mix):
    return losses.gradient_penalty(critic, losses.perturb(real, noise, mix))


def _interpolated(real, fake, mix):
    return losses.gradient_penalty(critic, losses.interpolate(real, fake, mix))


def _history(params, average):
    return losses.historical_averaging({"w": params}, {"w": average})


SCORES, PAIR, FOUR = _normal(()), _normal((), ()), _normal((), (), (), ())
MULTISCALE = functools.partial(losses.ms_ssim_error, data_range=1.0, window=5, weights=(0.3, 0.7))
L = losses
CASES = [
    Case("minimax_discriminator", L.minimax_discriminator, PAIR),
    Case(
        "minimax_discriminator smoothed",
        functools.partial(L.minimax_discriminator, real_label=0.9, fake_label=0.2),
        PAIR,
    ),
    Case("minimax_generator", L.minimax_generator, SCORES),
    Case("non_saturating_generator", L.non_saturating_generator, SCORES),
    Case("least_squares_discriminator", L.least_squares_discriminator, PAIR),
    Case("least_squares_generator", L.least_squares_generator, SCORES),
    Case("wasserstein_critic", L.wasserstein_critic, PAIR),
    Case("wasserstein_generator", L.wasserstein_generator, SCORES),
    Case("hinge_discriminator", L.hinge_discriminator, PAIR),
    Case("hinge_generator", L.hinge_generator, SCORES),
    Case("energy_discriminator", functools.partial(L.energy_discriminator, margin=0.5), PAIR),
    Case("energy_generator", L.energy_generator, SCORES),
    *(
        Case(name, getattr(L, name), PAIR, separable="average" not in name)
        for name in L.__all__
        if name.startswith("relativistic")
    ),
    *(
        Case(f"f_gan_discriminator {name}", functools.partial(L.f_gan_discriminator, divergence=one), PAIR)
        for name, one in DIVERGENCES.items()
    ),
    Case("f_gan_generator", functools.partial(L.f_gan_generator, divergence=DIVERGENCES["hellinger"]), SCORES),
    Case(
        "f_divergence",
        functools.partial(L.f_divergence, divergence=DIVERGENCES["pearson"]),
        _uniform((4,), (4,)),
    ),
    Case("total_variation_distance", L.total_variation_distance, _uniform((4,), (4,))),
    Case("kl_divergence", L.kl_divergence, _uniform((4,), (4,))),
    Case("jensen_shannon_divergence", L.jensen_shannon_divergence, _uniform((4,), (4,))),
    Case("softmax_discriminator", L.softmax_discriminator, PAIR, separable=False),
    Case("softmax_generator", L.softmax_generator, PAIR, separable=False),
    Case("boundary_seeking_generator", L.boundary_seeking_generator, SCORES),
    Case("boundary_seeking_policy", L.boundary_seeking_policy, _normal((3,), (3,)), constants=True),
    Case("importance_weights", lambda scores: L.importance_weights(scores)[:, 0], _normal((3,))),
    Case("gradient_penalty", _interpolated, _normal((3, 2), (3, 2), ())),
    Case("slopes", lambda x: L.safe_norm(L.slopes(critic, x)), _normal((3,))),
    Case("safe_norm", L.safe_norm, _normal((3, 2))),
    Case("unit_length", lambda x: L.unit_length(x)[:, 0], _normal((4,))),
    Case("perturb", _perturbed, _normal((4,), (4,), ()), separable=False, constants=True),
    Case(
        "zero_centered_penalty",
        functools.partial(L.zero_centered_penalty, critic),
        _normal((4,)),
    ),
    Case("divergence_penalty", functools.partial(L.divergence_penalty, critic), _normal((4,))),
    Case("r1_penalty", functools.partial(L.r1_penalty, critic), _normal((4,))),
    Case("r2_penalty", functools.partial(L.r2_penalty, critic), _normal((4,)), constants=True),
    Case(
        "path_lengths",
        functools.partial(L.path_lengths, images_of),
        _normal((2,), (2, 2, 1)),
    ),
    Case("path_length_penalty", lambda x: L.path_length_penalty(x, 0.3), SCORES),
    Case("drift_penalty", L.drift_penalty, SCORES),
    Case("consistency_penalty", L.consistency_penalty, PAIR),
    Case("balanced_consistency_penalty", L.balanced_consistency_penalty, FOUR),
    Case("lecam_penalty", lambda r, f: L.lecam_penalty(r, f, 0.4, -0.6), PAIR),
    Case(
        "spectral_norm",
        lambda w: L.spectral_norm(w, jnp.ones(4, w.dtype))[0],
        _weight,
        separable=False,
        batch=False,
        constants=True,
    ),
    Case("orthonormal_penalty", L.orthonormal_penalty, _weight, separable=False, batch=False),
    Case("orthogonal_penalty", L.orthogonal_penalty, _weight, separable=False, batch=False),
    Case(
        "historical_averaging",
        _history,
        _normal((3,), (3,)),
        separable=False,
        constants=True,
    ),
    Case(
        "contrastive_embedding", lambda v, t: L.contrastive_embedding(v, t, 3.0), _normal((3,), (3,)), separable=False
    ),
    Case("siamese_contrastive", lambda v, w: L.siamese_contrastive(v, w, jnp.ones(len(v), bool)), _normal((3,), (3,))),
    Case("structured_joint_embedding", L.structured_joint_embedding, _normal((3,), (3,)), separable=False),
    Case("pull_away", L.pull_away, _normal((3,)), separable=False),
    Case("feature_matching", L.feature_matching, _normal((3,), (3,)), separable=False),
    Case("minibatch_discrimination", L.minibatch_discrimination, _normal((3, 2)), separable=False),
    Case("minibatch_stddev", L.minibatch_stddev, _normal((2, 3)), separable=False),
    Case(
        "maximum_mean_discrepancy",
        lambda x, y: L.maximum_mean_discrepancy(x, y, functools.partial(L.gaussian_kernel, bandwidths=(1.0, 2.0))),
        _normal((3,), (3,)),
        separable=False,
    ),
    Case(
        "polynomial_kernel",
        lambda x, y: L.maximum_mean_discrepancy(x, y, L.polynomial_kernel, unbiased=False),
        _normal((3,), (3,)),
        separable=False,
    ),
    Case("bernoulli_nll", L.bernoulli_nll, _bernoulli),
    Case("gaussian_nll", L.gaussian_nll, _normal((3,), (3,), (3,))),
    Case("gaussian_nll fixed", lambda m, x: L.gaussian_nll(m, 0.3, x), _normal((3, 2), (3, 2))),
    Case(
        "discretized_gaussian_nll",
        functools.partial(L.discretized_gaussian_nll, num_levels=8),
        _levels,
    ),
    Case(
        "discretized_logistic_nll",
        functools.partial(L.discretized_logistic_nll, num_levels=8),
        _levels,
    ),
    Case("standard_normal_kl", L.standard_normal_kl, _normal((3,), (3,))),
    Case("gaussian_kl", L.gaussian_kl, _normal((3,), (3,), (3,), (3,))),
    Case("free_bits", lambda kl: L.free_bits(kl, 0.5), _uniform((3,)), separable=False),
    Case("capacity_penalty", lambda kl: L.capacity_penalty(kl, 0.5), _uniform(())),
    Case("importance_weighted_bound", L.importance_weighted_bound, _normal((4,))),
    Case("bits_per_dim", lambda nll: L.bits_per_dim(nll, 12), _uniform(())),
    Case("cross_entropy", L.cross_entropy, _labelled),
    Case("infogan_categorical", L.infogan_categorical, _labelled),
    Case("infogan_gaussian", L.infogan_gaussian, _normal((2,), (2,), (2,))),
    Case("infogan_uniform", L.infogan_uniform, _normal((2,), (2,), (2,))),
    Case("auxiliary_classifier", _auxiliary, _two_labelled),
    Case("projection_score", L.projection_score, _normal((), (4,), (4,))),
    Case("mean_absolute_error", L.mean_absolute_error, _normal((2, 3), (2, 3))),
    Case("mean_squared_error", L.mean_squared_error, _normal((2, 3), (2, 3))),
    Case("smooth_l1_error", functools.partial(L.smooth_l1_error, beta=0.7), _normal((2, 3), (2, 3))),
    Case(
        "charbonnier_error",
        functools.partial(L.charbonnier_error, epsilon=0.3),
        _normal((2, 3), (2, 3)),
    ),
    Case("cycle_consistency", _translate, _uniform((2, 3), (2, 3))),
    Case("identity_mapping", _identity, _uniform((2, 3), (2, 3))),
    Case("total_variation", L.total_variation, _normal((3, 4, 2)), line=4),
    Case(
        "context_weights",
        lambda mask: L.context_weights(mask, window=3).sum(axis=(1, 2)),
        _uniform((4, 5)),
    ),
    Case("context_error", L.context_error, _context),
    Case(
        "ssim_error",
        functools.partial(L.ssim_error, data_range=1.0, window=5),
        _uniform((6, 7, 2), (6, 7, 2)),
    ),
    Case("ms_ssim_error", MULTISCALE, _uniform((10, 11, 2), (10, 11, 2))),
    Case("gram_matrix", lambda features: L.gram_matrix(features).sum(axis=(1, 2)), _normal((3, 4, 2))),
    Case("style_error", L.style_error, _normal((3, 4, 2), (3, 4, 2))),
    Case("wasserstein_1d", L.wasserstein_1d, PAIR, separable=False),
    Case("earth_movers_distance", L.earth_movers_distance, _uniform((4,), (4,)), line=2),
    Case(
        "sliced_wasserstein",
        lambda x, y: L.sliced_wasserstein(x, y, jnp.eye(3, dtype=x.dtype), order=2),
        _normal((3,), (3,)),
        separable=False,
    ),
]
WITHOUT_A_CASE = {  # transformations, not losses: their laws stand in their own test files
    "clip_weights",
    "gaussian_kernel",
    "inverse_multiquadratic_kernel",
    "interpolate",
    "running_mean",
    "spectral_normalize",
}
