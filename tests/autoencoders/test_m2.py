import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.autoencoders import m2
from jaxgen.autoencoders.likelihoods import Bernoulli, Gaussian
from jaxgen.conditions import one_hot
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.conditioning import ConcatCondition
from jaxgen.nets.mlp import MLP
from tests import contract

TINY = m2.Config(
    image_shape=(2, 2, 1),
    num_classes=3,
    latent_dim=2,
    encoder=ConcatCondition(MLP((6,), negative_slope=0.1)),
    decoder=ConcatCondition(MLP((6,), negative_slope=0.1)),
    classifier=MLP((6,), negative_slope=0.1),
    likelihood=Bernoulli("each_step"),
    labelled_share=0.3,
)
PLAIN = dataclasses.replace(TINY, likelihood=Gaussian(0.3))
KNOWN, IMAGES = jax.random.uniform(jax.random.key(1), (2, 6, 2, 2, 1))
LABELS = jnp.array([0, 2, 1, 1, 0, 2], jnp.int32)
NOISES = tuple(jax.random.normal(jax.random.key(2), (2, 6, 1, 2)))


class TestContract(contract.Suite):
    case = contract.Case(m2, TINY)


def variables_of(config=PLAIN):
    return TestContract.init(config).autoencoder.variables


def bounds_of_each_class(variables):
    """L(x', y) of each image and class, one class at a time."""
    bound = jax.jit(functools.partial(m2.labelled_bound, PLAIN))
    classes = (one_hot(jnp.full(6, k, jnp.int32), 3) for k in range(3))
    return np.stack([bound(variables, IMAGES, y, NOISES[1], EVALUATION)[0] for y in classes], axis=1)


def test_bound_of_images_without_labels_is_the_sum_over_classes_and_above_their_mixture():
    """U = sum q (L + log q), least at q = softmax(-L): there it is -log sum exp(-L)."""
    variables = variables_of()
    found, _ = jax.jit(functools.partial(m2.unlabelled_bound, PLAIN))(variables, IMAGES, NOISES[1], EVALUATION)
    each, log_q = bounds_of_each_class(variables), jax.nn.log_softmax(m2.name(PLAIN, variables, IMAGES)[0])
    np.testing.assert_allclose(found, (np.exp(log_q) * (each + log_q)).sum(axis=1), rtol=1e-5)
    least = -jax.nn.logsumexp(-each, axis=1)
    assert (found >= least - 1e-4).all() and (found > least + 1e-4).any()


def test_a_class_that_is_certain_makes_it_the_bound_with_that_label():
    variables = variables_of()
    last = variables["params"]["classifier"]["Dense_1"]
    certain = last | {"bias": jnp.array([0.0, 60.0, 0.0])}
    params = variables["params"] | {"classifier": variables["params"]["classifier"] | {"Dense_1": certain}}
    variables = variables | {"params": params}
    found, _ = m2.unlabelled_bound(PLAIN, variables, IMAGES, NOISES[1], EVALUATION)
    np.testing.assert_allclose(found, bounds_of_each_class(variables)[:, 1], rtol=1e-5)


def loss_of(config, variables):
    mode = Mode(train=True)
    return m2.bound_loss(config, variables, (KNOWN, LABELS), IMAGES, NOISES, mode)


def test_loss_weighs_both_bounds_and_the_cross_entropy():
    loss, (metrics, _) = jax.jit(functools.partial(loss_of, PLAIN))(variables_of())
    wanted = 0.3 * metrics["labelled_bound"] + 0.7 * metrics["unlabelled_bound"] + 0.1 * metrics["cross_entropy"]
    assert loss == pytest.approx(float(wanted), rel=1e-5)
    logits = np.asarray(m2.name(PLAIN, variables_of(), KNOWN)[0], np.float64)
    log_q = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    assert metrics["cross_entropy"] == pytest.approx(-log_q[np.arange(6), LABELS].mean(), rel=1e-5)
    assert metrics["accuracy"] == pytest.approx((logits.argmax(axis=1) == LABELS).mean())


def test_without_the_cross_entropy_labels_never_reach_the_classifier():
    def gradient(**changes):
        config = dataclasses.replace(PLAIN, **changes)
        variables = variables_of()
        loss = lambda params: loss_of(config, {**variables, "params": params})[0]  # noqa: E731
        return jax.tree.leaves(jax.jit(jax.grad(loss))(variables["params"])["classifier"])

    assert not any(leaf.any() for leaf in gradient(labelled_share=1.0, classifier_weight=0.0))
    assert all(leaf.any() for leaf in gradient(labelled_share=1.0))
    assert all(leaf.any() for leaf in gradient(labelled_share=0.0, classifier_weight=0.0))


def test_images_are_of_the_classes_in_turn_and_classes_are_those_of_q():
    state = TestContract.init(PLAIN)
    latents = jnp.tile(jax.random.normal(jax.random.key(3), (1, 2)), (6, 1))
    images = m2.from_latents(PLAIN, state, latents)
    np.testing.assert_allclose(images[:3], images[3:], rtol=1e-5)
    assert np.abs(images[0] - images[1]).max() > 1e-3
    np.testing.assert_allclose(m2.classify(PLAIN, state, IMAGES), m2.name(PLAIN, variables_of(), IMAGES)[0])


@pytest.mark.exhaustive
def test_few_labels_and_many_images_tell_classes_apart():
    """Two kinds of images, one label of each: the images without labels say where the border is."""
    config = dataclasses.replace(PLAIN, num_classes=2, labelled_share=0.05, classifier_weight=1.0)
    base = jnp.array([[0.9, 0.9, 0.1, 0.1], [0.1, 0.1, 0.9, 0.9]]).reshape(2, 2, 2, 1)
    kinds = jnp.arange(64, dtype=jnp.int32) % 2
    images = jnp.clip(base[kinds] + 0.1 * jax.random.normal(jax.random.key(4), (64, 2, 2, 1)), 0.0, 1.0)
    batch = m2.PartlyLabelled(jnp.tile(images[:2], (32, 1, 1, 1)), jnp.tile(kinds[:2], 32), images)
    config = contract.with_sgd(config, 0.02)

    def step(state, key):
        return m2.update(config, state, batch, key)

    state, metrics = jax.jit(lambda state, keys: jax.lax.scan(step, state, keys))(
        m2.init(config, jax.random.key(0)), jax.random.split(jax.random.key(5), 500)
    )
    assert (m2.classify(config, state, images).argmax(axis=1) == kinds).mean() > 0.95
    assert metrics["unlabelled_bound"][-1] < metrics["unlabelled_bound"][0]


def test_defaults_are_the_papers():
    state = jax.eval_shape(functools.partial(m2.init, m2.Config()), jax.random.key(0))
    count = lambda tree: sum(leaf.size for leaf in jax.tree.leaves(tree))  # noqa: E731
    params = state.autoencoder.params
    assert count(params["encoder"]) == 795 * 300 + 301 * 100
    assert count(params["decoder"]) == 61 * 300 + 301 * 784
    assert count(params["classifier"]) == 785 * 300 + 301 * 10


@pytest.mark.parametrize(
    ("setting", "value"),
    [("latent_dim", 0), ("num_classes", 0), ("labelled_share", 1.5), ("classifier_weight", -1.0)],
)
def test_settings_out_of_range_are_refused(setting, value):
    with pytest.raises(ValueError, match=f"{setting} is .*, but must be"):
        dataclasses.replace(TINY, **{setting: value})
