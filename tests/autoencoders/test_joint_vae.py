"""Continuous and discrete latents: the terms by hand in NumPy, exact bounds against the sum over all categories."""

import dataclasses
import functools
import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import log_softmax, logsumexp
from scipy.stats import norm

from jaxgen.autoencoders import bounds, joint_vae
from jaxgen.autoencoders.bounds import ELBO, Terms
from jaxgen.autoencoders.categorical import AnnealedTemperature, ConstantTemperature
from jaxgen.autoencoders.joint_vae import JointCapacity
from jaxgen.autoencoders.likelihoods import Bernoulli, Gaussian
from jaxgen.mode import Mode
from jaxgen.nets.mlp import MLP
from tests import contract
from tests.nets.parameters import moved

# At update 1 tau is 1, at update 2 it is `least`: exp(-0.6) is below, and above half of it.
TINY = joint_vae.Config(
    image_shape=(2, 2, 1),
    continuous_dim=2,
    categories=(3, 2),
    encoder=MLP((6,), negative_slope=0.1),
    decoder=MLP((6,), negative_slope=0.1),
    temperature=AnnealedTemperature(rate=0.6, every=1, least=0.7),
    likelihood=Bernoulli("each_step"),
    objective=ELBO(beta=0.5, free_bits=0.02, warm_up=2, num_samples=2),
)
PLAIN = dataclasses.replace(TINY, likelihood=Gaussian(0.3), objective=ELBO(), temperature=ConstantTemperature(0.5))
DISCRETE = dataclasses.replace(PLAIN, continuous_dim=0, straight_through=True)
IMAGES = jax.random.uniform(jax.random.key(1), (6, 2, 2, 1))
NOISE = jax.random.normal(jax.random.key(2), (6, 5, 7))


class TestContract(contract.Suite):
    case = contract.Case(joint_vae, TINY)


class TestCapacityContract(contract.Suite):
    objective = JointCapacity(gamma=2.0, continuous=0.8, discrete=0.6, steps=2)
    case = contract.Case(
        joint_vae,
        dataclasses.replace(TINY, temperature=ConstantTemperature(0.5), straight_through=True, objective=objective),
    )


class TestDiscreteContract(contract.Suite):
    case = contract.Case(joint_vae, dataclasses.replace(TINY, continuous_dim=0))


@functools.cache
def variables_of(config):
    """Of networks whose biases and weights are all at work."""
    return moved(joint_vae.init(config, jax.random.key(0)).autoencoder.variables)


def state_of(config, variables):
    fresh = joint_vae.init(config, jax.random.key(0)).autoencoder
    return joint_vae.State(fresh.replace(params=variables["params"]))


def terms_of(config, noise=NOISE, temperature=None):
    tau = None if temperature is None else jnp.float32(temperature)
    return jax.jit(functools.partial(joint_vae.terms, config))(variables_of(config), IMAGES, noise, temperature=tau)[0]


def network(params, inputs):
    """Two dense layers in float64, a leaky ReLU between them."""
    first, second = (
        [np.asarray(params[f"Dense_{i}"][name], np.float64) for name in ("kernel", "bias")] for i in (0, 1)
    )
    hidden = inputs.reshape(len(inputs), -1) @ first[0] + first[1]
    return np.where(hidden > 0, hidden, 0.1 * hidden) @ second[0] + second[1]


def posterior(config):
    """Mean and log-variance of z, log q of each category, in float64."""
    outputs = network(variables_of(config)["params"]["encoder"], np.asarray(IMAGES, np.float64))
    d = config.continuous_dim
    ends = np.cumsum([d, d, *config.categories])[:-1]
    mean, logvar, *logits = np.split(outputs, ends, axis=1)
    return mean, logvar, [log_softmax(values, axis=1) for values in logits]


def nll(config, latents):
    """-log p(x|z, c) of each image, of as many rows, under the Gaussian likelihood."""
    outputs = network(variables_of(config)["params"]["decoder"], latents)
    mean = np.asarray(config.likelihood.mean(jnp.asarray(outputs, jnp.float32), (0.0, 1.0)))
    return -norm.logpdf(np.asarray(IMAGES, np.float64).reshape(6, -1), mean, np.sqrt(0.3)).sum(axis=1)


def by_hand(config, temperature):
    """The terms, one draw after another, from the docstring's equations."""
    mean, logvar, log_q = posterior(config)
    d, normal_noise = config.continuous_dim, np.asarray(NOISE, np.float64)[:, :, : config.latent_dim]
    losses, ratios = [], []
    for k in range(5):
        z = mean + np.exp(logvar / 2) * normal_noise[:, k, :d]
        ratio = (norm.logpdf(z) - norm.logpdf(z, mean, np.exp(logvar / 2))).sum(axis=1)
        parts, start = [z], d
        for log_each in log_q:
            num = log_each.shape[1]
            scores = log_each - np.log(-norm.logcdf(normal_noise[:, k, start : start + num]))
            start += num
            one_hot = np.eye(num)[scores.argmax(axis=1)]
            soft = np.exp(log_softmax(scores / (temperature or 1.0), axis=1))
            parts.append(one_hot if temperature is None or config.straight_through else soft)
            ratio += -np.log(num) - (one_hot * log_each).sum(axis=1)
        losses.append(nll(config, np.concatenate(parts, axis=1)))
        ratios.append(ratio)
    kl_z = 0.5 * (mean**2 + np.exp(logvar) - 1 - logvar)
    kl_c = [(np.exp(each) * (each + np.log(each.shape[1]))).sum(axis=1, keepdims=True) for each in log_q]
    return np.stack(losses, axis=1), np.stack(ratios, axis=1), np.concatenate([kl_z, *kl_c], axis=1)


@pytest.mark.parametrize("temperature", [None, 0.5])
@pytest.mark.parametrize("config", [PLAIN, dataclasses.replace(PLAIN, straight_through=True), DISCRETE])
def test_the_terms_are_those_of_the_equations_in_numpy(config, temperature):
    found = terms_of(config, NOISE[:, :, : config.latent_dim], temperature)
    for value, wanted in zip(found, by_hand(config, temperature), strict=True):
        np.testing.assert_allclose(value, wanted, rtol=1e-3, atol=1e-4)


def test_divergences_are_what_the_ratio_is_on_average():
    found = terms_of(PLAIN, jax.random.normal(jax.random.key(3), (6, 4_000, 7)))
    error = found.log_ratio.std(axis=1) / np.sqrt(4_000)
    assert (np.abs(found.kl.sum(axis=1) + found.log_ratio.mean(axis=1)) < 5 * error).all()


def test_bounds_of_discrete_latents_are_those_of_the_sum_over_all_categories():
    """p(x) = 1/6 sum over c of p(x|c), a finite sum: the ELBO is below it, 20,000 weights reach it."""
    state = state_of(DISCRETE, variables_of(DISCRETE))
    found = joint_vae.evidence(DISCRETE, state, IMAGES, jax.random.key(4), (20_000, 1_000))
    pairs = list(itertools.product(np.eye(3), np.eye(2)))
    each = np.stack([-nll(DISCRETE, np.tile(np.concatenate(pair), (6, 1))) for pair in pairs], axis=1)
    _, _, log_q = posterior(DISCRETE)
    q = np.exp(log_q[0][:, :, None] + log_q[1][:, None]).reshape(6, 6)
    np.testing.assert_allclose(found.log_evidence, logsumexp(each, axis=1) - np.log(6), atol=0.02)
    np.testing.assert_allclose(found.nll, -(q * each).sum(axis=1), atol=0.02)
    assert (-(found.nll + found.kl) <= found.log_evidence + 0.02).all()


def test_loss_is_the_negative_bound_of_relaxed_draws_and_logs_both_divergences():
    variables, mode = variables_of(PLAIN), Mode(train=True)
    loss, (metrics, _) = jax.jit(functools.partial(joint_vae.joint_loss, PLAIN))(variables, IMAGES, NOISE, mode)
    found = terms_of(PLAIN, temperature=0.5)
    assert loss == pytest.approx(float(found.nll.mean() + found.kl.sum(axis=1).mean()), rel=1e-5)
    assert metrics["kl/continuous"] == pytest.approx(float(found.kl[:, :2].sum(axis=1).mean()), rel=1e-5)
    assert metrics["kl/discrete"] == pytest.approx(float(found.kl[:, 2:].sum(axis=1).mean()), rel=1e-5)
    assert metrics["temperature"] == 0.5


def test_capacities_rise_linearly_and_that_of_categories_stops_where_they_end():
    """C_z and C_c at steps 0, 5 and beyond 10, of 3 and 4 nats: log 6 is what two variables of 3 and 2 can say."""
    config = dataclasses.replace(PLAIN, objective=JointCapacity(gamma=2.0, continuous=3.0, discrete=4.0, steps=10))
    kl = jnp.array([[1.0, 1.5, 0.25, 0.5], [0.0, 0.5, 1.0, 0.5]])
    found = Terms(jnp.array([[3.0, 5.0], [7.0, 9.0]]), jnp.zeros((2, 2)), kl)
    for step, (of_z, of_c) in {0: (0.0, 0.0), 5: (1.5, math.log(6)), 99: (3.0, math.log(6))}.items():
        loss, metrics = joint_vae.objective_loss(config, found, jnp.int32(step))
        distances = np.abs([2.5 - of_z, 0.5 - of_z]).mean() + np.abs([0.75 - of_c, 1.5 - of_c]).mean()
        assert loss == metrics["loss"] == pytest.approx(6.0 + 2.0 * distances, rel=1e-6)
        assert metrics["reconstruction"] == 6.0
        assert metrics["kl"] == pytest.approx(1.5 + 1.125)


def test_the_temperature_follows_the_step_of_the_pass():
    """Of as many updates as make tau 0.7, the relaxed draws are those of 0.7."""
    mode = Mode(train=True, step=jnp.int32(1))
    config = dataclasses.replace(PLAIN, temperature=TINY.temperature)
    _, (metrics, _) = joint_vae.joint_loss(config, variables_of(PLAIN), IMAGES, NOISE, mode)
    assert metrics["temperature"] == pytest.approx(0.7)
    assert metrics["reconstruction"] == pytest.approx(float(terms_of(PLAIN, temperature=0.7).nll.mean()), rel=1e-5)


def test_latents_that_encode_an_image_decode_to_its_mean_and_most_probable_categories():
    state = state_of(PLAIN, variables_of(PLAIN))
    mean, _, log_q = posterior(PLAIN)
    latents = joint_vae.to_latents(PLAIN, state, IMAGES)
    assert latents.shape == (6, 4) == (6, *PLAIN.prior.shape)
    one_hot = [np.eye(each.shape[1])[each.argmax(axis=1)] for each in log_q]
    outputs = network(variables_of(PLAIN)["params"]["decoder"], np.concatenate([mean, *one_hot], axis=1))
    wanted = PLAIN.likelihood.mean(jnp.asarray(outputs, jnp.float32).reshape(6, 2, 2, 1), (0.0, 1.0))
    np.testing.assert_allclose(joint_vae.from_latents(PLAIN, state, latents), wanted, atol=1e-4)
    means = joint_vae.posterior_means(PLAIN, state, IMAGES)
    np.testing.assert_allclose(means, np.concatenate([mean, *map(np.exp, log_q)], axis=1), atol=1e-4)
    q = joint_vae.predict_codes(PLAIN, state, IMAGES)
    for logits, wanted in zip(q.logits, log_q, strict=True):
        np.testing.assert_allclose(jax.nn.log_softmax(logits), wanted, rtol=1e-4, atol=1e-4)


def test_samples_are_of_the_first_variables_categories_in_turn_or_as_asked():
    state = state_of(PLAIN, variables_of(PLAIN))
    key = jax.random.key(5)
    latents = PLAIN.prior.draw(key, 6)
    for condition, classes in (
        (None, [0, 1, 2, 0, 1, 2]),
        (jnp.array([2, 2, 1, 1, 0, 0], jnp.int32), [2, 2, 1, 1, 0, 0]),
    ):
        found = joint_vae.sample(PLAIN, state, key, 6, condition)
        chosen = PLAIN.codes.with_first_code(latents, jnp.array(classes, jnp.int32))
        np.testing.assert_allclose(found, joint_vae.from_latents(PLAIN, state, chosen), atol=1e-6)
        np.testing.assert_array_equal(PLAIN.codes.one_hot(chosen)[0].argmax(axis=1), classes)


def test_q_of_z_is_that_of_the_family():
    q, _ = joint_vae.encode(PLAIN, variables_of(PLAIN), IMAGES)
    assert isinstance(q.normal, bounds.Diagonal)
    np.testing.assert_array_equal(q.normal.mean, q.mean)
    np.testing.assert_array_equal(q.normal.logvar, q.logvar)


def test_parameter_counts_of_the_defaults():
    """784-512-256-30 and 20-256-512-784: two numbers of each z_j and ten logits."""
    state = jax.eval_shape(functools.partial(joint_vae.init, joint_vae.Config()), jax.random.key(0))
    found = {name: sum(leaf.size for leaf in jax.tree.leaves(tree)) for name, tree in state.autoencoder.params.items()}
    assert found == {"encoder": 785 * 512 + 513 * 256 + 257 * 30, "decoder": 21 * 256 + 257 * 512 + 513 * 784}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"categories": ()}, "categories is .*, but must be one or more numbers of at least 2; vae has"),
        ({"categories": (3, 1)}, "categories is .*, but must be one or more numbers of at least 2; vae has"),
        ({"continuous_dim": -1}, "continuous_dim is -1, but must be at least 0"),
        ({"continuous_dim": 0, "objective": JointCapacity()}, "objective.continuous is 5.0, but must be 0 where"),
    ],
)
def test_settings_out_of_range_are_refused(settings, said):
    with pytest.raises(ValueError, match=said):
        dataclasses.replace(TINY, **settings)


def test_discrete_latents_alone_can_have_a_capacity():
    objective = JointCapacity(continuous=0.0)
    assert dataclasses.replace(TINY, continuous_dim=0, objective=objective).prior.shape == (2,)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"gamma": -0.1}, "gamma is -0.1, but must be at least 0"),
        ({"continuous": -0.1}, "continuous is -0.1, but must be at least 0"),
        ({"discrete": -0.1}, "discrete is -0.1, but must be at least 0"),
        ({"steps": 0}, "steps is 0, but must be at least 1"),
        ({"num_samples": 0}, "num_samples is 0, but must be at least 1"),
    ],
)
def test_capacities_out_of_range_are_refused(change, said):
    with pytest.raises(ValueError, match=said):
        dataclasses.replace(JointCapacity(), **change)
