"""Levels of latents: the merge of Gaussians, both ways of inference by hand in NumPy, the bound on a linear model."""

import dataclasses
import functools
import math
from itertools import pairwise

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

from jaxgen.autoencoders import hierarchical_vae
from jaxgen.autoencoders.bounds import ELBO, Diagonal, ImportanceWeighted
from jaxgen.autoencoders.hierarchical_vae import merge
from jaxgen.autoencoders.likelihoods import Bernoulli, Gaussian
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.dropout import dropout
from jaxgen.nets.mlp import MLP
from tests import contract
from tests.nets.parameters import moved

TINY = hierarchical_vae.Config(
    image_shape=(2, 2, 1),
    latent_dims=(3, 2),
    encoder=MLP((6,)),
    decoder=MLP((6,), negative_slope=0.1),
    widths=(5,),
    likelihood=Bernoulli("each_step"),
    objective=ELBO(beta=0.5, free_bits=0.02, warm_up=2, num_samples=2),
)
PLAIN = dataclasses.replace(
    TINY,
    latent_dims=(4, 3, 2),
    encoder=MLP((6,)),
    widths=(5, 4),
    norm="none",
    likelihood=Gaussian(0.3),
    objective=ELBO(),
)
IMAGES = jax.random.uniform(jax.random.key(1), (6, 2, 2, 1))
NOISE = jax.random.normal(jax.random.key(2), (6, 5, 9))


BEFORE_BATCH_NORM = tuple(
    f"['autoencoder']['{name}']['Dense_{layer}']['bias']" for name in ("up_1", "down_1") for layer in (0, 1)
)


class Dropped(nn.Module):
    """A dense layer after dropout."""

    rate: float = 0.5

    @nn.compact
    def __call__(self, inputs, output_shape, *, mode=EVALUATION):
        outputs = nn.Dense(math.prod(output_shape))(dropout(inputs, self.rate, mode, 0))
        return outputs.reshape(-1, *output_shape)


class TestContract(contract.Suite):
    case = contract.Case(hierarchical_vae, TINY, unreached=BEFORE_BATCH_NORM)


class TestUpwardsContract(contract.Suite):
    case = contract.Case(
        hierarchical_vae, dataclasses.replace(TINY, ladder=False, norm="none", objective=ImportanceWeighted(2))
    )


ways = pytest.mark.parametrize("ladder", [True, False])


@functools.cache
def variables_of(ladder):
    """Of networks whose biases and weights are all at work."""
    config = dataclasses.replace(PLAIN, ladder=ladder)
    return config, moved(hierarchical_vae.init(config, jax.random.key(0)).autoencoder.variables)


def state_of(config, variables):
    fresh = hierarchical_vae.init(config, jax.random.key(0)).autoencoder
    return hierarchical_vae.State(fresh.replace(params=variables["params"]))


@functools.cache
def terms_of(ladder):
    config, variables = variables_of(ladder)
    return jax.jit(functools.partial(hierarchical_vae.terms, config))(variables, IMAGES, NOISE)[0]


def test_two_gaussians_merge_by_their_precisions():
    """Variances .5 and 2, means 1 and -1; a found variance without bounds leaves the prior."""
    found = Diagonal(jnp.array([[1.0, 5.0]]), jnp.log(jnp.array([[0.5, 1e12]])))
    merged = merge(found, Diagonal(jnp.array([[-1.0, -1.0]]), jnp.log(jnp.array([[2.0, 2.0]]))))
    np.testing.assert_allclose(merged.mean, [[0.6, -1.0]], rtol=1e-5)
    np.testing.assert_allclose(jnp.exp(merged.logvar), [[0.4, 2.0]], rtol=1e-5)


def test_the_merged_variance_is_below_both_and_the_order_is_free():
    keys = jax.random.split(jax.random.key(3), 4)
    one, other = (Diagonal(*(3.0 * jax.random.normal(key, (50, 4)) for key in pair)) for pair in (keys[:2], keys[2:]))
    merged = merge(one, other)
    assert (merged.logvar < jnp.minimum(one.logvar, other.logvar)).all()
    for found, wanted in zip(merge(other, one), merged, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)


def network(params, inputs, slope=0.0):
    """Dense layers in float64, a leaky ReLU after each but the last."""
    hidden = inputs.reshape(len(inputs), -1)
    for number, layer in enumerate(params.values()):
        hidden = hidden @ np.asarray(layer["kernel"], np.float64) + np.asarray(layer["bias"], np.float64)
        if number < len(params) - 1:
            hidden = np.where(hidden > 0, hidden, slope * hidden)
    return hidden


def log_normal(z, mean, logvar):
    return -0.5 * ((z - mean) ** 2 / np.exp(logvar) + logvar + np.log(2 * np.pi))


def by_hand(params, ladder):
    """log p(z) - log q(z|x) of each image and draw, and what the decoder gives, from the docstring's equations."""
    up = [("up_0", 0.0), ("up_1", 0.1), ("up_2", 0.1)]
    images = np.repeat(np.asarray(IMAGES, np.float64), 5, axis=0)
    parts = np.split(np.asarray(NOISE, np.float64).reshape(30, 9), [4, 7], axis=1)

    def gaussian(name, inputs, slope):
        outputs = network(params[name], inputs, slope).reshape(30, -1, 2)
        return outputs[..., 0], outputs[..., 1]

    found, z, below = [], [], images
    for (name, slope), noise in zip(up, parts, strict=True):
        mean, logvar = gaussian(name, below, slope)
        found.append((mean, logvar))
        below = mean if ladder else mean + np.exp(logvar / 2) * noise
        z.append(below)
    ratio = np.zeros(30)
    for level in (2, 1, 0):
        mean, logvar = found[level]
        prior = (
            (np.zeros_like(mean), np.zeros_like(mean))
            if level == 2
            else gaussian(f"down_{level + 1}", z[level + 1], 0.1)
        )
        if ladder:
            if level < 2:
                precision = np.exp(-logvar) + np.exp(-prior[1])
                mean = (mean * np.exp(-logvar) + prior[0] * np.exp(-prior[1])) / precision
                logvar = -np.log(precision)
            z[level] = mean + np.exp(logvar / 2) * parts[level]
        ratio += (log_normal(z[level], *prior) - log_normal(z[level], mean, logvar)).sum(axis=1)
    return ratio.reshape(6, 5), network(params["down_0"], z[0], 0.1)


@ways
def test_the_terms_are_those_of_the_equations_in_numpy(ladder):
    config, variables = variables_of(ladder)
    ratio, outputs = by_hand(variables["params"], ladder)
    found = terms_of(ladder)
    np.testing.assert_allclose(found.log_ratio, ratio, rtol=1e-3, atol=1e-3)
    targets = jnp.repeat(IMAGES, 5, axis=0)
    nll = config.likelihood.nll(jnp.asarray(outputs, jnp.float32).reshape(30, 2, 2, 1), targets, (0.0, 1.0))
    np.testing.assert_allclose(found.nll, nll.reshape(6, 5), rtol=1e-3)


def test_without_a_ladder_the_divergence_is_what_was_drawn_and_with_it_the_closed_form_on_average():
    found = terms_of(False)
    np.testing.assert_allclose(found.kl.sum(axis=1), -found.log_ratio.mean(axis=1), rtol=1e-4, atol=1e-4)
    config, variables = variables_of(True)
    noise = jax.random.normal(jax.random.key(4), (6, 4_000, 9))
    found = jax.jit(functools.partial(hierarchical_vae.terms, config))(variables, IMAGES, noise)[0]
    assert (found.kl >= 0).all()
    error = found.log_ratio.std(axis=1) / np.sqrt(4_000)
    assert (np.abs(found.kl.sum(axis=1) + found.log_ratio.mean(axis=1)) < 5 * error).all()


@ways
def test_of_a_decoder_that_does_not_look_every_bound_is_the_probability(ladder):
    """With every weight 0 all Gaussians are N(0, I): p(x) is one Gaussian, and q is p but for the merge."""
    config, variables = variables_of(ladder)
    state = state_of(config, jax.tree.map(jnp.zeros_like, variables))
    found = hierarchical_vae.evidence(config, state, IMAGES, jax.random.key(1), (2_000, 50))
    mean = float(config.likelihood.mean(jnp.zeros((1, 2, 2, 1)), (0.0, 1.0))[0, 0, 0, 0])
    wanted = norm.logpdf(np.asarray(IMAGES, np.float64), mean, np.sqrt(0.3)).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(found.log_evidence, wanted, atol=0.5 if ladder else 1e-3)
    divergence = 7 * 0.5 * (0.5 - 1 - np.log(0.5)) if ladder else 0.0  # of z_1 and z_2, whose variance is 1/2
    np.testing.assert_allclose(found.kl, divergence, atol=1e-4)


@ways
def test_more_latents_raise_the_bound(ladder):
    config, variables = variables_of(ladder)
    state = state_of(config, variables)
    evaluate = jax.jit(
        lambda samples: hierarchical_vae.evidence(config, state, IMAGES, jax.random.key(6), samples), static_argnums=0
    )
    few, many = evaluate((1, 1)), evaluate((200, 50))
    assert many.log_evidence.mean() > few.log_evidence.mean()
    assert (many.log_evidence >= -(many.nll + many.kl) - 0.5).all()


@ways
def test_noise_that_encodes_an_image_decodes_to_that_of_the_means(ladder):
    config, variables = variables_of(ladder)
    state = state_of(config, variables)
    latents = hierarchical_vae.to_latents(config, state, IMAGES)
    means = hierarchical_vae.posterior_means(config, state, IMAGES)
    assert latents.shape == means.shape == (6, 9) == (6, *config.prior.shape)
    outputs, _ = hierarchical_vae.below(config, variables, means[:, :4], 0)
    wanted = config.likelihood.mean(outputs, config.value_range)
    np.testing.assert_allclose(hierarchical_vae.from_latents(config, state, latents), wanted, atol=1e-4)
    np.testing.assert_allclose(latents[:, 7:], means[:, 7:], atol=1e-5)


def test_samples_go_down_through_every_level():
    config, variables = variables_of(True)
    state = state_of(config, variables)
    noise = jax.random.normal(jax.random.key(7), (4, 9))
    image = hierarchical_vae.from_latents(config, state, noise)
    for first in (0, 4, 7):
        other = hierarchical_vae.from_latents(config, state, noise.at[:, first].add(1.0))
        assert (jnp.abs(other - image).max(axis=(1, 2, 3)) > 1e-5).all()


@ways
def test_each_draw_has_dropout_of_its_own(ladder):
    """Of one latent drawn twice, decoded without dropout alike, with it not."""
    for rate, alike in ((0.0, True), (0.5, False)):
        config = dataclasses.replace(PLAIN, ladder=ladder, decoder=Dropped(rate))
        variables = hierarchical_vae.init(config, jax.random.key(0)).autoencoder.variables
        mode = Mode(keys=jax.random.split(jax.random.key(8), 6), train=True)
        noise = jnp.repeat(NOISE[:, :1], 2, axis=1)
        found, _ = hierarchical_vae.terms(config, variables, IMAGES, noise, mode)
        assert np.allclose(found.nll[:, 0], found.nll[:, 1], rtol=1e-5) == alike


def test_an_update_logs_each_levels_divergence():
    variables, mode = variables_of(True)[1], Mode(train=True)
    loss, (metrics, _) = hierarchical_vae.bound_loss(PLAIN, variables, IMAGES, NOISE, mode)
    assert metrics.keys() == {"loss", "reconstruction", "kl", "elbo", "kl/1", "kl/2", "kl/3"}
    assert float(metrics["kl/1"] + metrics["kl/2"] + metrics["kl/3"]) == pytest.approx(float(metrics["kl"]), rel=1e-5)
    assert loss == pytest.approx(float(metrics["reconstruction"] + metrics["kl"]), rel=1e-5)


def test_parameter_counts_of_the_defaults():
    """784-512-512-64, 64-256-256-32, 32-128-128-16 up, with two numbers a latent, and the same down."""
    state = jax.eval_shape(functools.partial(hierarchical_vae.init, hierarchical_vae.Config()), jax.random.key(0))

    def dense(*widths):
        norms = 2 * sum(widths[1:-1])
        return norms + sum((before + 1) * after for before, after in pairwise(widths))

    wanted = {
        "up_0": dense(784, 512, 512, 128), "up_1": dense(64, 256, 256, 64), "up_2": dense(32, 128, 128, 32),
        "down_0": dense(64, 512, 512, 784), "down_1": dense(32, 256, 256, 128), "down_2": dense(16, 128, 128, 64),
    }  # fmt: skip
    found = {name: sum(leaf.size for leaf in jax.tree.leaves(tree)) for name, tree in state.autoencoder.params.items()}
    assert found == wanted


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"latent_dims": (4,), "widths": ()}, "of at least 2 levels; vae has one"),
        ({"latent_dims": (4, 0)}, "numbers of at least 1"),
        ({"widths": (4, 4)}, "widths is .*, but must be 1 numbers, one between two of latent_dims"),
    ],
)
def test_settings_out_of_range_are_refused(settings, said):
    with pytest.raises(ValueError, match=said):
        dataclasses.replace(TINY, **settings)
