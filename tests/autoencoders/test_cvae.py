import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.autoencoders import bounds, cvae
from jaxgen.autoencoders.bounds import ELBO
from jaxgen.autoencoders.likelihoods import LearnedGaussian
from jaxgen.batches import Labelled
from jaxgen.nets.conditioning import ChannelCondition, ConcatCondition
from jaxgen.nets.conv_autoencoder import ConvEncoder
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Optimizer, RMSProp
from tests import contract

TINY = cvae.Config(
    image_shape=(4, 4, 1),
    num_classes=3,
    latent_dim=4,
    encoder=ChannelCondition(ConvEncoder((4,), negative_slope=0.1)),
    decoder=ConcatCondition(MLP((8,), negative_slope=0.1)),
    prior_network=MLP((4,), negative_slope=0.1),
    likelihood=LearnedGaussian(0.1),
    objective=ELBO(beta=0.5, free_bits=0.02, warm_up=2),
    optimizer=Optimizer(1e-3, RMSProp()),
)


class TestContract(contract.Suite):
    case = contract.Case(cvae, TINY)


IMAGES = jax.random.uniform(jax.random.key(1), (6, 4, 4, 1))
LABELS = jnp.arange(6, dtype=jnp.int32) % 3
CLASSES = jax.nn.one_hot(LABELS, 3)
NOISE = jax.random.normal(jax.random.key(2), (6, 5, 4))
FIXED = dataclasses.replace(TINY, prior_network=None)


def variables_of(config):
    return TestContract.init(config).autoencoder.variables


@functools.cache
def compiled(function, config):
    """One program in place of one for each operation."""
    return jax.jit(functools.partial(function, config))


def test_terms_are_those_of_each_latent_on_its_own():
    variables = variables_of(TINY)
    found, _ = compiled(cvae.terms, TINY)(variables, IMAGES, CLASSES, NOISE)
    q, _ = compiled(cvae.encode, TINY)(variables, IMAGES, CLASSES)
    prior, _ = compiled(cvae.prior_of, TINY)(variables, CLASSES)
    for k in range(5):
        latents = q.mean + jnp.exp(q.logvar / 2) * NOISE[:, k]
        outputs, _ = compiled(cvae.decode, TINY)(variables, latents, CLASSES)
        nll = TINY.likelihood.nll(outputs, IMAGES, TINY.value_range)
        np.testing.assert_allclose(found.nll[:, k], nll, rtol=1e-5)
        standardised = (latents - prior.mean) * jnp.exp(-prior.logvar / 2)
        ratio = 0.5 * (q.logvar - prior.logvar + NOISE[:, k] ** 2 - standardised**2).sum(1)
        np.testing.assert_allclose(found.log_ratio[:, k], ratio, atol=1e-4)
    np.testing.assert_allclose(found.kl, bounds.kl_of_each_latent(q, prior), atol=1e-6)
    assert (found.kl >= 0).all()


def test_labels_change_what_encoder_decoder_and_prior_give():
    state, others = TestContract.init(), (LABELS + 1) % 3
    latents = NOISE[:, 0]
    one, other = (
        compiled(cvae.from_latents, FIXED)(TestContract.init(FIXED), latents, labels) for labels in (LABELS, others)
    )
    assert np.abs(one - other).max() > 1e-3
    classes, variables = (CLASSES, jax.nn.one_hot(others, 3)), variables_of(TINY)
    one, other = (compiled(cvae.encode, TINY)(variables, IMAGES, y)[0].mean for y in classes)
    assert np.abs(one - other).max() > 1e-3
    one, other = (compiled(cvae.prior_of, TINY)(variables, y)[0].mean for y in classes)
    assert np.abs(one - other).max() > 1e-3
    sample = jax.jit(lambda state, labels: cvae.sample(TINY, state, jax.random.key(0), 6, labels))
    np.testing.assert_array_equal(sample(state, None), sample(state, LABELS))


def test_the_prior_is_standard_normal_without_a_network():
    prior, _ = compiled(cvae.prior_of, FIXED)(variables_of(FIXED), CLASSES)
    np.testing.assert_array_equal(prior.mean, np.zeros((6, 4)))
    np.testing.assert_array_equal(prior.logvar, np.zeros((6, 4)))
    assert set(variables_of(FIXED)["params"]) == {"encoder", "decoder"}


def test_latents_are_the_priors_noise_and_decode_to_the_image_of_the_posteriors_mean():
    state = TestContract.init()
    latents = compiled(cvae.to_latents, TINY)(state, IMAGES, LABELS)
    q, _ = compiled(cvae.encode, TINY)(variables_of(TINY), IMAGES, CLASSES)
    outputs, _ = compiled(cvae.decode, TINY)(variables_of(TINY), q.mean, CLASSES)
    wanted = TINY.likelihood.mean(outputs, TINY.value_range)
    np.testing.assert_allclose(compiled(cvae.from_latents, TINY)(state, latents, LABELS), wanted, atol=1e-5)
    pixels = jnp.round(IMAGES * 255).astype(jnp.uint8)
    means = compiled(cvae.posterior_means, TINY)(state, Labelled(pixels, LABELS))
    np.testing.assert_allclose(means, latents, atol=0.05)


def test_evidence_is_made_of_the_terms():
    state, key = TestContract.init(), jax.random.key(5)
    found = jax.jit(lambda state: cvae.evidence(TINY, state, Labelled(IMAGES, LABELS), key, (6, 3)))(state)
    chunks = []
    for chunk in jax.random.split(key, 2):
        noise = jax.vmap(lambda i, k=chunk: jax.random.normal(jax.random.fold_in(k, i), (3, 4)))(jnp.arange(6))
        chunks.append(compiled(cvae.terms, TINY)(variables_of(TINY), IMAGES, CLASSES, noise)[0])
    nll, ratio = (np.concatenate([getattr(c, name) for c in chunks], axis=1) for name in ("nll", "log_ratio"))
    np.testing.assert_allclose(found.nll, nll.mean(1), rtol=1e-5)
    np.testing.assert_allclose(found.log_evidence, jax.nn.logsumexp(ratio - nll, axis=1) - np.log(6), rtol=1e-5)


def test_default_networks_have_the_reference_parameter_counts():
    state = jax.eval_shape(lambda: cvae.init(cvae.Config(), jax.random.key(0)))
    count = lambda tree: sum(leaf.size for leaf in jax.tree.leaves(tree))  # noqa: E731
    params = state.autoencoder.params
    assert (count(params["encoder"]), count(params["decoder"])) == (77_988, 96_449)


@pytest.mark.parametrize(("setting", "value"), [("latent_dim", 0), ("num_classes", 0), ("value_range", (0.0, 2.0))])
def test_settings_out_of_range_are_refused(setting, value):
    with pytest.raises(ValueError, match=f"{setting} is .*, but must be"):
        dataclasses.replace(TINY, **{setting: value})
