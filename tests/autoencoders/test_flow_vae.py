import dataclasses
import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.autoencoders import bounds, flow_vae, vae
from jaxgen.autoencoders.bounds import ELBO
from jaxgen.autoencoders.flow_vae import Flows
from jaxgen.autoencoders.likelihoods import Bernoulli, Gaussian
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.mlp import MLP
from tests import contract

TINY = flow_vae.Config(
    image_shape=(2, 2, 1),
    latent_dim=3,
    num_flows=2,
    encoder=MLP((6,), norm="batch"),
    decoder=MLP((6,), negative_slope=0.1),
    likelihood=Bernoulli("each_step"),
    from_identity=True,
    objective=ELBO(beta=0.5, free_bits=0.02, warm_up=2, num_samples=2),
)
PLAIN = dataclasses.replace(
    TINY, from_identity=False, encoder=MLP((6,)), objective=ELBO(), likelihood=Gaussian(0.3), num_flows=5
)
IMAGES = jax.random.uniform(jax.random.key(1), (6, 2, 2, 1))
NOISE = jax.random.normal(jax.random.key(2), (6, 5, 3))


class TestContract(contract.Suite):
    case = contract.Case(
        flow_vae,
        TINY,
        unreached=("['autoencoder']['encoder']['Dense_0']['bias']",),  # batch normalisation takes it out
    )


@functools.cache
def variables_of(config):
    """Random biases too, so that the flows bend."""
    variables = flow_vae.init(config, jax.random.key(0)).autoencoder.variables
    return jax.tree.map(lambda leaf: 1.5 * jax.random.normal(jax.random.key(leaf.size), leaf.shape), variables)


def state_of(config):
    state = flow_vae.init(config, jax.random.key(0))
    return flow_vae.State(state.autoencoder.replace(params=variables_of(config)["params"]))


def terms_of(config, noise=NOISE):
    return jax.jit(functools.partial(flow_vae.terms, config))(variables_of(config), IMAGES, noise)[0]


def one(u, w, b):
    return Flows(*(jnp.asarray(value, jnp.float32)[None, None] for value in (u, w, b)))


class Given(nn.Module):
    """0, 1, 2, ... for every image."""

    @nn.compact
    def __call__(self, images, output_shape, *, mode=EVALUATION):
        self.param("unused", nn.initializers.zeros, ())
        return jnp.broadcast_to(jnp.arange(float(output_shape[0])), (len(images), *output_shape))


def test_each_number_of_the_encoder_has_one_place():
    config = dataclasses.replace(PLAIN, encoder=Given(), num_flows=2)
    q, flows, _ = flow_vae.encode(config, flow_vae.init(config, jax.random.key(0)).autoencoder.variables, IMAGES)
    np.testing.assert_array_equal(jnp.stack([q.mean[0], q.logvar[0]], axis=1).ravel(), np.arange(6))
    for number, first in enumerate((6, 13)):
        found = [*flows.u[number, 0], *flows.w[number, 0], flows.b[number, 0]]
        np.testing.assert_array_equal(jnp.stack(found), np.arange(first, first + 7))


def test_a_planar_map_has_the_values_of_the_reference():
    latents, log_det = flow_vae.flow(one([1, 0.5], [0.3, -0.8], 0.2), jnp.array([[[0.5, -1.0]]]))
    np.testing.assert_allclose(latents[0, 0], [1.23185517, -0.36205921], rtol=1e-6)
    np.testing.assert_allclose(log_det[0, 0], -0.1253406384, rtol=2e-6)


@pytest.mark.parametrize("size", [1.0, 2e-4])  # of w: there u^ divides by SHORTEST in place of |w|^2
@pytest.mark.parametrize("from_identity", [False, True])
def test_the_logarithm_is_that_of_the_jacobian(size, from_identity):
    u, w = 2 * jax.random.normal(jax.random.key(3), (2, 4, 1, 3))
    flows = Flows(u / size, w * size, jax.random.normal(jax.random.key(4), (4, 1)))
    flow = functools.partial(flow_vae.flow, flows, from_identity=from_identity)
    for z in jax.random.normal(jax.random.key(5), (10, 3)):
        jacobian = jax.jacfwd(lambda z: flow(z[None, None])[0][0, 0])(z)
        _, log_det = flow(z[None, None])
        sign, wanted = np.linalg.slogdet(np.asarray(jacobian, np.float64))
        assert sign == 1
        np.testing.assert_allclose(log_det[0, 0], wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [1e-8, 1e-3, 1.0, 30.0])
def test_a_map_keeps_its_orientation_whatever_the_vectors_are(size):
    """w.u^ is above -1: along w the map rises, at u against w too, and its logarithm is a number."""
    w = size * jnp.array([0.6, -0.8])
    flows = one(-5 * w, w, 0.1)
    line = jnp.outer(jnp.linspace(-3, 3, 101), jnp.array([0.6, -0.8]))
    latents, log_det = flow_vae.flow(flows, line[None])
    along = np.asarray(latents[0] @ jnp.array([0.6, -0.8]), np.float64)
    assert (np.diff(along) >= 0).all() and np.isfinite(log_det).all()
    flat = one(-5 * w, w, 0.0)  # tanh is 0 at the origin, where the determinant is least
    assert np.isfinite(flow_vae.flow(flat, jnp.zeros((1, 1, 2)))[1]).all()
    gradients = jax.grad(lambda flows: flow_vae.flow(flows, line[None])[1].sum())(flows)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradients))


def test_a_map_without_direction_is_a_shift():
    latents, log_det = flow_vae.flow(one([1, 0.5], [0, 0], 0.2), jnp.array([[[0.5, -1.0]]]))
    np.testing.assert_allclose(latents[0, 0], np.array([0.5, -1.0]) + np.tanh(0.2) * np.array([1, 0.5]), rtol=1e-6)
    assert log_det[0, 0] == 0.0


def test_a_map_without_strength_is_the_identity_where_this_is_asked_for():
    """The paper's shrinks along w instead: by ln 2 where tanh is steepest."""
    w, z = [0.6, -0.8], jnp.array([[[0.01, 0.02]]])
    latents, log_det = flow_vae.flow(one([0, 0], w, -(0.006 - 0.016)), z, from_identity=True)
    np.testing.assert_allclose(latents, z, atol=1e-7)
    np.testing.assert_allclose(log_det, 0.0, atol=1e-6)
    _, log_det = flow_vae.flow(one([0, 0], w, -(0.006 - 0.016)), z)
    np.testing.assert_allclose(log_det, np.log(np.log(2)), rtol=1e-5)
    bent, log_det = flow_vae.flow(one([-9, 12], w, 0.1), z, from_identity=True)  # w.u = -15: nearly folded
    product = -15.0
    height = np.tanh(0.006 - 0.016 + 0.1)
    moved = np.log1p((np.e - 1) * np.exp(product)) - 1 - product
    np.testing.assert_allclose(bent[0, 0], z[0, 0] + height * (np.array([-9, 12]) + moved * np.array(w)), rtol=1e-4)
    stretch = np.log1p((np.e - 1) * np.exp(product))
    np.testing.assert_allclose(log_det[0, 0], np.log(height**2 + (1 - height**2) * stretch), rtol=1e-4)


def test_maps_follow_one_another_and_an_image_has_its_own():
    q, flows, _ = flow_vae.encode(PLAIN, variables_of(PLAIN), IMAGES)
    together, log_det = flow_vae.flow(flows, bounds.reparametrize(q, NOISE))
    for i in range(6):
        z, total = bounds.reparametrize(q, NOISE)[i, 2], 0.0
        for u, w, b in zip(flows.u[:, i], flows.w[:, i], flows.b[:, i], strict=True):
            z, part = flow_vae.flow(one(u, w, b), z[None, None])
            z, total = z[0, 0], total + part[0, 0]
        np.testing.assert_allclose(together[i, 2], z, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(log_det[i, 2], total, rtol=1e-4, atol=1e-5)


def test_weights_of_the_prior_over_the_posterior_have_the_mean_one():
    """E over q_K of p(z) / q_K(z): the determinants make q_K a density."""
    gentle = jax.tree.map(lambda leaf: leaf / 4, variables_of(PLAIN))
    noise = jax.random.normal(jax.random.key(6), (6, 40_000, 3))
    q, flows, _ = flow_vae.encode(PLAIN, gentle, IMAGES)
    wide = q._replace(logvar=q.logvar + 1.5)  # so that the weights are bounded
    latents, log_det = flow_vae.flow(flows, bounds.reparametrize(wide, noise))
    log_ratio = ((noise**2 + wide.logvar[:, None] - latents**2) / 2).sum(axis=2) + log_det
    weights = np.exp(np.asarray(log_ratio, np.float64))
    spread = weights.std(axis=1) / np.sqrt(40_000)
    assert (spread < 0.02).all()
    np.testing.assert_array_less(np.abs(weights.mean(axis=1) - 1), 5 * spread)


@pytest.mark.parametrize("from_identity", [False, True])
def test_the_ratio_is_that_of_the_densities(from_identity):
    """log p(z_K) - log q_0(z_0|x) + the logarithms, with the densities of SciPy."""
    stats = pytest.importorskip("scipy.stats")
    config = dataclasses.replace(PLAIN, from_identity=from_identity)
    q, flows, _ = flow_vae.encode(PLAIN, variables_of(PLAIN), IMAGES)
    start = bounds.reparametrize(q, NOISE)
    latents, log_det = flow_vae.flow(flows, start, from_identity=from_identity)
    deviation = np.exp(np.asarray(q.logvar, np.float64) / 2)[:, None]
    of_start = stats.norm.logpdf(start, np.asarray(q.mean)[:, None], deviation).sum(axis=2)
    wanted = stats.norm.logpdf(latents).sum(axis=2) - of_start + log_det
    found = terms_of(config)
    np.testing.assert_allclose(found.log_ratio, wanted, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(found.kl[:, 0], -wanted.mean(axis=1), rtol=1e-4, atol=1e-3)


def test_flows_that_only_shift_leave_the_bound_of_a_vae():
    """w = 0 and b = 0: the same networks are a VAE's, whose divergence is estimated from the draws."""
    variables = jax.tree.map(lambda leaf: leaf, variables_of(PLAIN))
    last = sorted(variables["params"]["encoder"])[-1]
    of_flows = jnp.arange(PLAIN.posterior_dim) >= 2 * PLAIN.latent_dim
    dense = {name: jnp.where(of_flows, 0.0, leaf) for name, leaf in variables["params"]["encoder"][last].items()}
    variables["params"]["encoder"] = variables["params"]["encoder"] | {last: dense}
    found, _ = flow_vae.terms(PLAIN, variables, IMAGES, NOISE)
    plain = vae.Config(
        **{name: getattr(PLAIN, name) for name in ("image_shape", "latent_dim", "likelihood", "decoder")}
    )
    q, _, _ = flow_vae.encode(PLAIN, variables, IMAGES)
    of_vae, _ = vae.terms_of(plain, variables, q, IMAGES, NOISE, Mode())
    np.testing.assert_allclose(found.nll, of_vae.nll, rtol=1e-5)
    np.testing.assert_allclose(found.log_ratio, of_vae.log_ratio, rtol=1e-4, atol=1e-4)


def test_loss_is_the_negative_bound():
    variables, mode, noise = variables_of(PLAIN), Mode(train=True), NOISE[:, :1]
    loss, (metrics, _) = jax.jit(functools.partial(flow_vae.bound_loss, PLAIN))(variables, IMAGES, noise, mode)
    found = terms_of(PLAIN, noise)
    assert loss == pytest.approx(float((found.nll - found.log_ratio).mean()), rel=1e-5)
    assert metrics.keys() == {"loss", "reconstruction", "kl", "elbo"}


def test_an_image_is_encoded_where_its_flows_take_the_mean():
    state = state_of(PLAIN)
    q, flows, _ = flow_vae.encode(PLAIN, state.autoencoder.variables, IMAGES)
    for from_identity in (False, True):
        config = dataclasses.replace(PLAIN, from_identity=from_identity)
        wanted = flow_vae.flow(flows, q.mean[:, None], from_identity=from_identity)[0][:, 0]
        np.testing.assert_allclose(flow_vae.to_latents(config, state, IMAGES), wanted, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(flow_vae.posterior_means(config, state, IMAGES), wanted, rtol=1e-5, atol=1e-6)
        assert np.abs(wanted - q.mean).max() > 0.1


def test_more_latents_bring_the_evidence_above_the_bound():
    state = state_of(PLAIN)
    of_images = jax.jit(lambda state: flow_vae.evidence(PLAIN, state, IMAGES, jax.random.key(7), (500, 100)))
    found = of_images(state)
    assert all(np.isfinite(value).all() and value.shape == (6,) for value in found)
    assert (found.log_evidence >= -(found.nll + found.kl)).all()


def test_an_encoder_gives_two_numbers_a_latent_and_the_vectors_of_each_flow():
    state = jax.eval_shape(functools.partial(flow_vae.init, flow_vae.Config()), jax.random.key(0))
    count = lambda tree: sum(leaf.size for leaf in jax.tree.leaves(tree))  # noqa: E731
    params = state.autoencoder.params
    assert count(params["encoder"]) == 785 * 300 + 301 * 300 + 301 * (2 * 40 + 10 * 81)
    assert count(params["decoder"]) == 41 * 300 + 301 * 300 + 301 * 784


@pytest.mark.parametrize(("setting", "value"), [("latent_dim", 0), ("num_flows", 0), ("value_range", (0.0, 2.0))])
def test_settings_out_of_range_are_refused(setting, value):
    with pytest.raises(ValueError, match=f"{setting} is .*, but must be"):
        dataclasses.replace(TINY, **{setting: value})
