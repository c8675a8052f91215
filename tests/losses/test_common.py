"""Laws that every loss keeps: batches, transformations, number types, derivatives, refusals."""

import functools
import pathlib

import chex
import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import Mesh, PartitionSpec

from jaxgen import losses
from jaxgen.losses.divergences import DIVERGENCES
from tests.losses.cases import BATCH, CASES, WITHOUT_A_CASE, Case, critic

SAME = jnp.array([True, False, True])
every = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
SEPARABLE = [case for case in CASES if case.separable]


def cast(arrays, dtype):
    """Floats in a dtype, labels as they are."""
    return tuple(
        jnp.asarray(array, dtype if np.issubdtype(array.dtype, np.floating) else array.dtype) for array in arrays
    )


def test_every_public_function_has_a_case():
    covered = {case.name.split()[0] for case in CASES} | WITHOUT_A_CASE
    assert covered == set(losses.__all__)


# Groups of minibatch_stddev are {0, 2, 4, 6} and {1, 3, 5, 7}: this order keeps them.
ORDER = np.array([6, 1, 0, 7, 2, 5, 4, 3])


@functools.cache
def values_of(case: Case):
    """The values of a case: of the batch, of one example alone, permuted, and under vmap."""

    @jax.jit
    def program(arrays):
        values = {"batch": case.function(*arrays)}
        if case.separable:
            values["alone"] = case.function(*(array[2:3] for array in arrays))
        if case.batch:
            values["permuted"] = case.function(*(array[ORDER] for array in arrays))
        values["mapped"] = jax.vmap(case.function)(*(array[None] for array in arrays))[0]
        return values

    return program(cast(case.arrays(), jnp.float32))


@pytest.mark.parametrize("case", SEPARABLE, ids=lambda case: case.name)
def test_value_of_an_example_is_its_value_alone(case: Case):
    values = values_of(case)
    chex.assert_shape(values["batch"], (BATCH,))
    chex.assert_trees_all_close(values["alone"], values["batch"][2:3], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("case", [c for c in CASES if c.batch], ids=lambda case: case.name)
def test_permuting_the_batch_permutes_the_values(case: Case):
    values = values_of(case)
    expected = values["batch"][ORDER] if values["batch"].ndim else values["batch"]
    chex.assert_trees_all_close(values["permuted"], expected, rtol=1e-4, atol=1e-6)


@every
def test_vmap_does_not_change_the_value(case: Case):
    values = values_of(case)
    chex.assert_trees_all_close(values["mapped"], values["batch"], rtol=1e-4, atol=1e-6)


STEP = 2e-4


@functools.cache
def derivatives_of(case: Case):
    """Value and, along a random line, derivatives and a five-point stencil, in float64."""
    arrays = case.arrays()
    rng = np.random.default_rng(case.line)
    floating = [np.issubdtype(array.dtype, np.floating) for array in arrays]
    directions = [rng.normal(size=array.shape) for array in arrays]
    mix = rng.normal(size=BATCH)

    def along(t, arrays):
        moved = [
            array + t * direction if is_floating else array
            for array, direction, is_floating in zip(arrays, directions, floating, strict=True)
        ]
        values = case.function(*moved)
        return (np.resize(mix, values.shape) * values).sum()

    @jax.jit
    def program(arrays):
        first = jax.grad(along)
        stencil = jax.vmap(along, (0, None))(STEP * jnp.arange(-2.0, 3.0), arrays)
        return case.function(*arrays), first(0.0, arrays), jax.grad(first)(0.0, arrays), stencil

    with jax.enable_x64(True):
        return jax.tree.map(np.asarray, program(cast(arrays, jnp.float64)))


@every
def test_halves_are_computed_in_float32_and_doubles_in_float64(case: Case):
    halves = jax.jit(case.function)(*cast(case.arrays(), jnp.bfloat16))
    doubles = derivatives_of(case)[0]
    assert halves.dtype == jnp.float32
    assert doubles.dtype == np.float64
    assert values_of(case)["batch"].dtype == jnp.float32
    # Inputs in bfloat16 have 8 bits: relative errors of 2^-9 before the formula, none within.
    scale = np.abs(doubles).max()
    np.testing.assert_allclose(halves, doubles, rtol=0.05, atol=0.05 * scale)
    np.testing.assert_allclose(values_of(case)["batch"], doubles, rtol=1e-4, atol=1e-5 * scale)


@pytest.mark.parametrize("case", [c for c in CASES if not c.constants], ids=lambda case: case.name)
def test_derivatives_agree_with_finite_differences_to_second_order(case: Case):
    _, first, second, f = derivatives_of(case)
    # Five-point stencils, with errors of order STEP^4.
    numerical_first = (f[0] - 8 * f[1] + 8 * f[3] - f[4]) / (12 * STEP)
    numerical_second = (-f[0] + 16 * f[1] - 30 * f[2] + 16 * f[3] - f[4]) / (12 * STEP**2)
    np.testing.assert_allclose(first, numerical_first, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(second, numerical_second, rtol=1e-4, atol=1e-5)


@functools.cache
def means_over_devices():
    """One program: the mean of each separable loss over 4 devices, and over the whole batch."""
    mesh = Mesh(np.array(jax.devices()[:4]), ("devices",))

    def means(arrays):
        return [case.function(*a).mean() for case, a in zip(SEPARABLE, arrays, strict=True)]

    def shard(arrays):
        return jax.lax.pmean(means(arrays), "devices")

    spec = PartitionSpec("devices")
    sharded = jax.shard_map(shard, mesh=mesh, in_specs=(spec,), out_specs=PartitionSpec())
    return jax.jit(sharded), jax.jit(means)


@hypothesis.settings(max_examples=10)
@hypothesis.given(st.integers(0, 2**32 - 1))
def test_mean_over_four_devices_is_the_mean_over_the_batch(seed):
    arrays = [cast(case.arrays(seed), jnp.float32) for case in SEPARABLE]
    over_devices, over_batch = means_over_devices()
    parts, whole = over_devices(arrays), over_batch(arrays)
    for case, part, total in zip(SEPARABLE, parts, whole, strict=True):
        chex.assert_trees_all_close(part, total, rtol=1e-4, atol=1e-5, custom_message=case.name)


FROM_LOGITS = [
    case
    for case in CASES
    if case.name.split()[0]
    in {
        *(n for n in losses.__all__ if n.endswith(("discriminator", "generator", "critic"))),
        *("drift_penalty", "consistency_penalty", "balanced_consistency_penalty", "lecam_penalty"),
        *("bernoulli_nll", "cross_entropy", "infogan_categorical", "auxiliary_classifier"),
        *("importance_weighted_bound", "projection_score"),
    }
]


@functools.cache
def gradients_of(case: Case):
    """The jitted value and gradient in every array of floats."""
    floating = [i for i, a in enumerate(case.arrays()) if np.issubdtype(a.dtype, np.floating)]
    return jax.jit(jax.value_and_grad(lambda *a: case.function(*a).sum(), argnums=floating))


@pytest.mark.parametrize("case", FROM_LOGITS, ids=lambda case: case.name)
def test_value_and_gradient_are_finite_at_logits_of_ten_thousand(case: Case):
    rng = np.random.default_rng(2)
    is_target = {"bernoulli_nll": 1}.get(case.name)
    extreme = [
        np.where(rng.random(array.shape) < 0.5, -1e4, 1e4)
        if np.issubdtype(array.dtype, np.floating) and i != is_target
        else array
        for i, array in enumerate(case.arrays())
    ]
    chex.assert_tree_all_finite(gradients_of(case)(*cast(extreme, jnp.float32)))


@every
def test_value_and_gradient_are_finite_where_all_inputs_are_zero(case: Case):
    arrays = cast([np.zeros_like(array) for array in case.arrays()], jnp.float32)
    chex.assert_tree_all_finite(gradients_of(case)(*arrays))


def zeros(*shapes):
    return tuple(jnp.zeros(shape) for shape in shapes)


LABELS = jnp.zeros(3, int)
L = losses
ONE, COLUMN, TWO = (3,), (3, 1), (2,)
OF_PAIRS = ("relativistic", "softmax")
PAIRED = [name for name in losses.__all__ if name.endswith(("discriminator", "critic")) or name.startswith(OF_PAIRS)]
SINGLE = [name for name in losses.__all__ if name.endswith("_generator") and not name.startswith(OF_PAIRS)]
KL = DIVERGENCES["kl"]
FINITE = ("total_variation_distance", "kl_divergence", "jensen_shannon_divergence")
SETTINGS = {
    "energy_discriminator": {"margin": 1.0},
    "f_gan_discriminator": {"divergence": KL},
    "f_gan_generator": {"divergence": KL},
}
SSIM = functools.partial(L.ssim_error, data_range=1.0)
MS_SSIM = functools.partial(L.ms_ssim_error, data_range=1.0)
REFUSALS = [
    *((n, functools.partial(getattr(L, n), **SETTINGS.get(n, {})), zeros(COLUMN, ONE)) for n in PAIRED),
    *((n, functools.partial(getattr(L, n), **SETTINGS.get(n, {})), zeros(ONE, COLUMN)) for n in PAIRED),
    *((n, functools.partial(getattr(L, n), **SETTINGS.get(n, {})), zeros(ONE, TWO)) for n in PAIRED),
    *((n, functools.partial(getattr(L, n), **SETTINGS.get(n, {})), zeros(COLUMN, COLUMN)) for n in PAIRED),
    *((n, functools.partial(getattr(L, n), **SETTINGS.get(n, {})), zeros((), ())) for n in PAIRED),
    *((n, functools.partial(getattr(L, n), **SETTINGS.get(n, {})), zeros(COLUMN)) for n in SINGLE),
    *((n, functools.partial(getattr(L, n), **SETTINGS.get(n, {})), zeros(())) for n in SINGLE),
    *((n, getattr(L, n), zeros(ONE, TWO)) for n in FINITE),
    *((n, getattr(L, n), zeros((), ())) for n in FINITE),
    ("f_divergence", functools.partial(L.f_divergence, divergence=KL), zeros(ONE, TWO)),
    ("f_divergence", functools.partial(L.f_divergence, divergence=KL), zeros((), ())),
    ("interpolate", L.interpolate, zeros((3, 2), (3, 1), ONE)),
    ("interpolate", L.interpolate, zeros((3, 2), (3, 2), COLUMN)),
    ("interpolate", L.interpolate, zeros((3, 2), (3, 2), TWO)),
    ("interpolate", L.interpolate, zeros((3, 2), (3, 2), ())),
    ("perturb", L.perturb, zeros((3, 2), (3, 1), ONE)),
    ("perturb", L.perturb, zeros((3, 2), (3, 2), COLUMN)),
    ("safe_norm", L.safe_norm, zeros(())),
    ("unit_length", L.unit_length, zeros(())),
    ("slopes", functools.partial(L.slopes, lambda x: x), zeros((3, 2))),
    ("slopes", functools.partial(L.slopes, lambda x: x[:, :1]), zeros((3, 2))),
    ("slopes", functools.partial(L.slopes, lambda x: x[0, 0]), zeros((3, 2))),
    ("gradient_penalty", functools.partial(L.gradient_penalty, lambda x: x), zeros(COLUMN)),
    ("zero_centered_penalty", functools.partial(L.zero_centered_penalty, jnp.sin), zeros(COLUMN)),
    ("divergence_penalty", functools.partial(L.divergence_penalty, jnp.sin), zeros(COLUMN)),
    ("divergence_penalty", functools.partial(L.divergence_penalty, lambda x: x[:, 0], power=1.0), zeros(COLUMN)),
    ("boundary_seeking_policy", L.boundary_seeking_policy, zeros(ONE, ONE)),
    ("boundary_seeking_policy", L.boundary_seeking_policy, zeros((3, 2), (3, 1))),
    ("importance_weights", L.importance_weights, zeros(ONE)),
    ("r1_penalty", functools.partial(L.r1_penalty, jnp.sin), zeros(COLUMN)),
    ("r2_penalty", functools.partial(L.r2_penalty, jnp.sin), zeros(COLUMN)),
    ("path_lengths", functools.partial(L.path_lengths, jnp.sin), zeros((3, 4), (3, 1))),
    ("path_length_penalty", lambda x: L.path_length_penalty(x, 1.0), zeros(COLUMN)),
    ("drift_penalty", L.drift_penalty, zeros(COLUMN)),
    ("consistency_penalty", L.consistency_penalty, zeros(COLUMN, ONE)),
    ("consistency_penalty", L.consistency_penalty, zeros(ONE, TWO)),
    ("balanced_consistency_penalty", L.balanced_consistency_penalty, zeros(ONE, ONE, ONE, COLUMN)),
    ("balanced_consistency_penalty", L.balanced_consistency_penalty, zeros(ONE, ONE, TWO, TWO)),
    ("lecam_penalty", lambda r, f: L.lecam_penalty(r, f, 0.0, 0.0), zeros(ONE, COLUMN)),
    ("spectral_norm", L.spectral_norm, zeros((3,), (3,))),
    ("spectral_norm", L.spectral_norm, zeros((3, 2), (3,))),
    ("spectral_norm", L.spectral_norm, zeros((3, 2), (2, 1))),
    ("spectral_norm", functools.partial(L.spectral_norm, num_steps=0), zeros((3, 2), (2,))),
    ("spectral_normalize", L.spectral_normalize, zeros((3, 2), (3,))),
    (
        "spectral_normalize",
        functools.partial(L.spectral_normalize, num_steps=0),
        zeros((3, 2), (2,)),
    ),
    ("orthonormal_penalty", L.orthonormal_penalty, zeros(ONE)),
    ("orthogonal_penalty", L.orthogonal_penalty, zeros(ONE)),
    ("clip_weights", lambda w: L.clip_weights(w, 0.0), zeros(ONE)),
    ("clip_weights", lambda w: L.clip_weights(w, -1.0), zeros(ONE)),
    ("clip_weights", lambda w: L.clip_weights({"params": w, "batch_stats": w}, 1.0), zeros(ONE)),
    ("historical_averaging", L.historical_averaging, zeros(ONE, COLUMN)),
    ("running_mean", lambda a, p: L.running_mean(a, p, 1), zeros(ONE, COLUMN)),
    ("pull_away", L.pull_away, zeros((3, 2, 2))),
    ("pull_away", L.pull_away, zeros((1, 2))),
    ("feature_matching", L.feature_matching, zeros((3, 2), (3, 1))),
    ("feature_matching", L.feature_matching, zeros((), ())),
    ("minibatch_discrimination", L.minibatch_discrimination, zeros((3, 2))),
    ("minibatch_stddev", L.minibatch_stddev, zeros((6, 2))),
    ("minibatch_stddev", functools.partial(L.minibatch_stddev, group_size=0), zeros((4, 2))),
    ("minibatch_stddev", L.minibatch_stddev, zeros(())),
    *(
        ("maximum_mean_discrepancy", lambda x, y: L.maximum_mean_discrepancy(x, y, jnp.outer), bad)
        for bad in (zeros((3,), (3, 2)), zeros((3, 2), (3,)), zeros((3, 2), (3, 1)))
    ),
    *(
        ("maximum_mean_discrepancy", lambda x, y: L.maximum_mean_discrepancy(x, y, jnp.outer), bad)
        for bad in (zeros((1, 2), (3, 2)), zeros((3, 2), (1, 2)))
    ),
    ("gaussian_kernel", L.gaussian_kernel, zeros((3, 2), (3, 1))),
    ("gaussian_kernel", L.gaussian_kernel, zeros((3,), (3,))),
    ("inverse_multiquadratic_kernel", L.inverse_multiquadratic_kernel, zeros((3, 2), (3, 1))),
    ("inverse_multiquadratic_kernel", L.inverse_multiquadratic_kernel, zeros((3,), (3,))),
    ("polynomial_kernel", L.polynomial_kernel, zeros((3, 2), (3, 1))),
    ("polynomial_kernel", L.polynomial_kernel, zeros((3,), (3,))),
    ("bernoulli_nll", L.bernoulli_nll, zeros((3, 2), (3, 1))),
    ("bernoulli_nll", L.bernoulli_nll, zeros((), ())),
    ("gaussian_nll", L.gaussian_nll, zeros((3, 2), (), (3, 1))),
    ("gaussian_nll", L.gaussian_nll, zeros((3, 2), (2,), (3, 2))),
    ("discretized_logistic_nll", L.discretized_logistic_nll, zeros((3, 2), (3, 2), (3, 1))),
    ("discretized_logistic_nll", L.discretized_logistic_nll, zeros((3, 2), (1, 2), (3, 2))),
    (
        "discretized_logistic_nll",
        functools.partial(L.discretized_logistic_nll, num_levels=1),
        zeros((3, 2), (3, 2), (3, 2)),
    ),
    ("discretized_gaussian_nll", L.discretized_gaussian_nll, zeros((3, 2), (3, 2), (3, 1))),
    ("discretized_gaussian_nll", L.discretized_gaussian_nll, zeros((3, 2), (1, 2), (3, 2))),
    (
        "discretized_gaussian_nll",
        functools.partial(L.discretized_gaussian_nll, num_levels=1),
        zeros((3, 2), (3, 2), (3, 2)),
    ),
    ("standard_normal_kl", L.standard_normal_kl, zeros((3, 2), (2,))),
    ("gaussian_kl", L.gaussian_kl, zeros((3, 2), (3, 2), (2,), (2,))),
    ("free_bits", lambda kl: L.free_bits(kl, 0.5), zeros(ONE)),
    ("capacity_penalty", lambda kl: L.capacity_penalty(kl, 0.5), zeros(COLUMN)),
    ("importance_weighted_bound", L.importance_weighted_bound, zeros(ONE)),
    ("cross_entropy", lambda x: L.cross_entropy(x, LABELS), zeros(ONE)),
    ("cross_entropy", lambda x: L.cross_entropy(x, LABELS[:2]), zeros((3, 4))),
    ("cross_entropy", lambda x: L.cross_entropy(x, LABELS[:, None]), zeros((3, 4))),
    ("infogan_categorical", lambda x: L.infogan_categorical(x, LABELS[:2]), zeros((3, 4))),
    ("infogan_gaussian", L.infogan_gaussian, zeros((3, 2), (3, 2), (3, 1))),
    ("infogan_gaussian", L.infogan_gaussian, zeros((3,), (3,), (3,))),
    ("infogan_uniform", L.infogan_uniform, zeros((3, 2), (3, 2), (3, 1))),
    ("infogan_uniform", L.infogan_uniform, zeros((3,), (3,), (3,))),
    (
        "auxiliary_classifier",
        lambda r, f: L.auxiliary_classifier(r, LABELS, f, LABELS),
        zeros((3, 4), (3, 1)),
    ),
    ("projection_score", L.projection_score, zeros(COLUMN, (3, 2), (3, 2))),
    ("projection_score", L.projection_score, zeros(ONE, (3, 2), (3, 1))),
    ("projection_score", L.projection_score, zeros(TWO, (3, 2), (3, 2))),
    ("mean_absolute_error", L.mean_absolute_error, zeros((3, 2), (3, 1))),
    ("mean_squared_error", L.mean_squared_error, zeros((3, 2), (3, 1))),
    ("charbonnier_error", L.charbonnier_error, zeros((3, 2), (3, 1))),
    ("smooth_l1_error", L.smooth_l1_error, zeros((3, 2), (3, 1))),
    ("mean_absolute_error", L.mean_absolute_error, zeros((), ())),
    (
        "cycle_consistency",
        functools.partial(L.cycle_consistency, jnp.sin, jnp.sin),
        zeros(ONE, TWO),
    ),
    (
        "cycle_consistency",
        functools.partial(L.cycle_consistency, jnp.sin, lambda x: x[:, :1]),
        zeros((3, 2), (3, 2)),
    ),
    ("identity_mapping", functools.partial(L.identity_mapping, jnp.sin, jnp.sin), zeros(ONE, TWO)),
    ("total_variation", L.total_variation, zeros((3, 4, 4))),
    ("context_weights", L.context_weights, zeros((3, 8, 8, 1))),
    ("context_weights", functools.partial(L.context_weights, window=4), zeros((3, 8, 8))),
    ("context_weights", functools.partial(L.context_weights, window=-1), zeros((3, 8, 8))),
    ("context_error", L.context_error, zeros((3, 2, 2, 1), (3, 2, 2, 1), (3, 2, 2, 1))),
    ("context_error", L.context_error, zeros((3, 2, 2, 1), (3, 2, 2, 2), (3, 2, 2))),
    ("context_error", L.context_error, zeros((3, 2, 2), (3, 2, 2), (3, 2))),
    ("gram_matrix", L.gram_matrix, zeros((3, 4, 4))),
    ("style_error", L.style_error, zeros((3, 4, 4, 2), (3, 4, 4, 1))),
    ("ssim_error", SSIM, zeros((3, 16, 16), (3, 16, 16))),
    ("ssim_error", SSIM, zeros((3, 16, 16, 1), (3, 16, 16, 3))),
    ("ssim_error", SSIM, zeros((3, 10, 16, 1), (3, 10, 16, 1))),
    ("ssim_error", SSIM, zeros((3, 16, 10, 1), (3, 16, 10, 1))),
    ("ms_ssim_error", MS_SSIM, zeros((3, 176, 176), (3, 176, 176))),
    ("ms_ssim_error", MS_SSIM, zeros((3, 176, 176, 1), (3, 176, 176, 3))),
    ("ms_ssim_error", MS_SSIM, zeros((3, 175, 200, 1), (3, 175, 200, 1))),
    ("ms_ssim_error", MS_SSIM, zeros((3, 200, 175, 1), (3, 200, 175, 1))),
    ("structured_joint_embedding", L.structured_joint_embedding, zeros((3, 2), (3, 3))),
    ("structured_joint_embedding", L.structured_joint_embedding, zeros((3, 2), (2, 2))),
    ("structured_joint_embedding", L.structured_joint_embedding, zeros(ONE, ONE)),
    ("contrastive_embedding", L.contrastive_embedding, zeros((3, 2), (3, 3), ())),
    ("contrastive_embedding", L.contrastive_embedding, zeros((3, 2), (3, 2), ONE)),
    ("siamese_contrastive", functools.partial(L.siamese_contrastive, same=SAME), zeros((3, 2), (3, 3))),
    ("siamese_contrastive", functools.partial(L.siamese_contrastive, same=SAME), zeros((4, 2), (4, 2))),
    ("siamese_contrastive", functools.partial(L.siamese_contrastive, same=SAME), zeros(ONE, ONE)),
    ("wasserstein_1d", L.wasserstein_1d, zeros(ONE, TWO)),
    ("wasserstein_1d", L.wasserstein_1d, zeros(COLUMN, COLUMN)),
    ("earth_movers_distance", L.earth_movers_distance, zeros(ONE, TWO)),
    ("earth_movers_distance", L.earth_movers_distance, zeros((), ())),
    ("sliced_wasserstein", L.sliced_wasserstein, zeros((3, 2), (4, 2), (5, 2))),
    ("sliced_wasserstein", L.sliced_wasserstein, zeros((3, 2), (3, 2), (5, 3))),
    ("sliced_wasserstein", L.sliced_wasserstein, zeros((3, 2), (3, 2), (2,))),
]


@pytest.mark.parametrize(("function", "arrays"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS])
def test_wrong_shapes_and_settings_raise_one_clear_sentence(function, arrays):
    sentence = r"must|expected|differ|need|divide|smaller"
    # Without the checks of the tests nothing else would stop a broadcast.
    with jax.numpy_rank_promotion("allow"), pytest.raises(ValueError, match=sentence) as refusal:
        function(*arrays)
    raised_in = pathlib.Path(refusal.traceback[-1].path).parent.name
    assert raised_in == "losses"  # not an error of JAX further down


@pytest.mark.usefixtures("unchecked_annotations")
def test_integers_are_refused_with_a_sentence():
    images = jnp.zeros((2, 3), jnp.uint8)
    with pytest.raises(ValueError, match="outputs is uint8, but must be floating"):
        losses.mean_absolute_error(images, images)


def test_table_of_refusals_reaches_every_function_with_shapes():
    assert {row[0] for row in REFUSALS} == set(losses.__all__) - {"bits_per_dim"}


def test_case_critic_gives_one_score_for_each_example():
    chex.assert_shape(critic(jnp.zeros((3, 2, 2))), (3,))
