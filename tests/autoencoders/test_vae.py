import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.autoencoders import aggregate, bounds, vae
from jaxgen.autoencoders.aggregate import Covariance, MeanDiscrepancy, TotalCorrelation
from jaxgen.autoencoders.bounds import ELBO, Capacity, ImportanceWeighted
from jaxgen.autoencoders.likelihoods import Bernoulli, Gaussian, LearnedGaussian
from jaxgen.mode import Mode
from jaxgen.nets.initializers import Normal
from jaxgen.nets.mlp import MLP
from jaxgen.nets.shared_scale import SharedScale
from jaxgen.optimizers import Adagrad, Adam, Optimizer
from tests import contract

TINY = vae.Config(
    image_shape=(2, 2, 1),
    latent_dim=3,
    encoder=MLP((6,), norm="batch"),
    decoder=MLP((6,), negative_slope=0.1),
    likelihood=Bernoulli("each_step"),
    objective=ELBO(beta=0.5, free_bits=0.02, warm_up=2, num_samples=2),
    optimizer=Optimizer(1e-3, Adam()),
)


class TestContract(contract.OverDevices):
    case = contract.Case(
        vae,
        TINY,
        unreached=("['autoencoder']['encoder']['Dense_0']['bias']",),  # batch normalisation takes it out
    )


IMAGES = jax.random.uniform(jax.random.key(1), (6, 2, 2, 1))
NOISE = jax.random.normal(jax.random.key(2), (6, 5, 3))
PLAIN = dataclasses.replace(TINY, encoder=MLP((6,)), objective=ELBO(), likelihood=Gaussian(0.3))


def variables_of(config):
    return TestContract.init(config).autoencoder.variables


def training(step):
    return Mode(step=jnp.int32(step), train=True)


def call(function, config, *inputs):
    """`function(config, *inputs)`, compiled: one program in place of one for each operation."""
    return jax.jit(functools.partial(function, config))(*inputs)


def test_terms_are_those_of_each_latent_on_its_own():
    """K latents in one call are K calls, image by image."""
    variables = variables_of(PLAIN)
    found, _ = call(vae.terms, PLAIN, variables, IMAGES, NOISE)
    q, _ = call(vae.encode, PLAIN, variables, IMAGES)
    decode = jax.jit(functools.partial(vae.decode, PLAIN))
    for k in range(5):
        latents = q.mean + jnp.exp(q.logvar / 2) * NOISE[:, k]
        outputs, _ = decode(variables, latents)
        nll = PLAIN.likelihood.nll(outputs, IMAGES, PLAIN.value_range)
        np.testing.assert_allclose(found.nll[:, k], nll, rtol=1e-5)
        ratio = 0.5 * (q.logvar + NOISE[:, k] ** 2 - latents**2).sum(1)
        np.testing.assert_allclose(found.log_ratio[:, k], ratio, atol=1e-4)
    np.testing.assert_allclose(found.kl, 0.5 * (q.mean**2 + jnp.exp(q.logvar) - 1 - q.logvar), atol=1e-6)


def test_free_bits_are_of_the_mean_over_all_devices():
    """A latent is below them on one device and above on the other: the mean of both losses would not be the loss."""
    variables = variables_of(PLAIN)
    q, _ = call(vae.encode, PLAIN, variables, IMAGES)
    of_devices = bounds.kl_of_each_latent(q, bounds.standard_normal(q.mean))[:, 0].reshape(2, 3).mean(axis=1)
    assert abs(of_devices[0] - of_devices[1]) > 1e-3
    config = dataclasses.replace(PLAIN, objective=ELBO(free_bits=float(of_devices.mean())))
    images, noise, mode = IMAGES.reshape(2, 3, 2, 2, 1), NOISE.reshape(2, 3, 5, 3), Mode(train=True, axis_name="i")
    sharded = jax.vmap(lambda x, eps: vae.bound_loss(config, variables, x, eps, mode)[0], axis_name="i")
    whole, _ = call(vae.bound_loss, config, variables, IMAGES, NOISE, Mode(train=True))
    assert jax.jit(sharded)(images, noise).mean() == pytest.approx(float(whole), rel=1e-5)


@pytest.mark.exhaustive
@pytest.mark.parametrize("objective", [ELBO(2.0, num_samples=5), Capacity(10.0, 3.0, 4), ImportanceWeighted(5)])
def test_the_loss_is_the_objective_of_the_terms(objective):
    config = dataclasses.replace(PLAIN, objective=objective)
    found, _ = call(vae.terms, config, variables_of(config), IMAGES, NOISE)
    wanted, _ = bounds.objective_loss(objective, found, jnp.int32(2))
    loss, (metrics, _) = call(vae.bound_loss, config, variables_of(config), IMAGES, NOISE, training(2))
    np.testing.assert_allclose(loss, wanted, rtol=1e-6)
    assert metrics.keys() == {"loss", "reconstruction", "kl", "elbo"}


@pytest.mark.exhaustive
def test_an_update_is_a_step_down_the_gradient_on_pixels_and_latents_drawn_for_it():
    config = contract.with_sgd(TINY, 0.05)
    state, key = TestContract.init(config), jax.random.key(3)
    found, _ = jax.jit(functools.partial(vae.update, config))(state, IMAGES, key)
    key_pixels, key_latents, _ = jax.random.split(key, 3)
    keys = [jax.vmap(lambda i, k=k: jax.random.fold_in(k, i))(jnp.arange(6)) for k in (key_pixels, key_latents)]
    uniform = jax.vmap(lambda k: jax.random.uniform(k, (2, 2, 1)))(keys[0])
    noise = jax.vmap(lambda k: jax.random.normal(k, (2, 3)))(keys[1])
    targets = (uniform < IMAGES).astype(jnp.float32)
    before = state.autoencoder

    def loss(params):
        variables = {**before.variables, "params": params}
        return vae.bound_loss(config, variables, targets, noise, training(0))

    grads, _ = jax.jit(jax.grad(loss, has_aux=True))(before.params)
    wanted = jax.tree.map(lambda p, g: p - 0.05 * g, before.params, grads)
    for path, leaf in contract.leaves(wanted).items():
        np.testing.assert_allclose(leaf, contract.leaves(found.autoencoder.params)[path], atol=1e-5, err_msg=path)


def test_gradients_through_the_noise_are_those_of_finite_differences():
    """The reparametrised bound as a function of a bias of the encoder's last layer: mean and log-variance."""
    config = dataclasses.replace(PLAIN, decoder=MLP((6,), activation="tanh"))
    params = variables_of(config)["params"]
    loss = jax.jit(lambda params: vae.bound_loss(config, {"params": params}, IMAGES, NOISE, training(0))[0])
    grads = jax.jit(jax.grad(loss))(params)
    bias = params["encoder"]["Dense_1"]["bias"]
    for index in range(6):
        at = lambda h, i=index: {  # noqa: E731
            **params,
            "encoder": {**params["encoder"], "Dense_1": {**params["encoder"]["Dense_1"], "bias": bias.at[i].add(h)}},
        }
        slope = (loss(at(0.03)) - loss(at(-0.03))) / 0.06
        assert grads["encoder"]["Dense_1"]["bias"][index] == pytest.approx(float(slope), abs=2e-2)


def test_one_small_step_lowers_the_loss():
    params = variables_of(PLAIN)["params"]
    loss = jax.jit(lambda params: vae.bound_loss(PLAIN, {"params": params}, IMAGES, NOISE, training(0))[0])
    down = jax.tree.map(lambda p, g: p - 1e-3 * g, params, jax.jit(jax.grad(loss))(params))
    assert loss(down) < loss(params)


@pytest.mark.exhaustive
def test_evidence_is_made_of_the_terms_with_pixels_of_the_images_own():
    config = dataclasses.replace(TINY, objective=ELBO())
    state, key = TestContract.init(config), jax.random.key(5)
    found = call(lambda config, state: vae.evidence(config, state, IMAGES, key, (6, 3)), config, state)
    targets = Bernoulli("once").observe(IMAGES, jax.random.split(key, 6), (0.0, 1.0))
    chunks = []
    terms = jax.jit(functools.partial(vae.terms, config, variables_of(config)))
    for chunk in jax.random.split(key, 2):
        noise = jax.vmap(lambda i, k=chunk: jax.random.normal(jax.random.fold_in(k, i), (3, 3)))(jnp.arange(6))
        chunks.append(terms(targets, noise)[0])
    nll, ratio = (np.concatenate([getattr(c, name) for c in chunks], axis=1) for name in ("nll", "log_ratio"))
    np.testing.assert_allclose(found.nll, nll.mean(1), rtol=1e-5)
    np.testing.assert_allclose(found.log_evidence, jax.nn.logsumexp(ratio - nll, axis=1) - np.log(6), rtol=1e-5)
    np.testing.assert_allclose(found.kl, chunks[0].kl.sum(1), rtol=1e-5)


def test_latents_of_an_image_are_the_posteriors_mean_and_decode_to_the_likelihoods_mean():
    state = TestContract.init(PLAIN)
    q, _ = call(vae.encode, PLAIN, variables_of(PLAIN), IMAGES)
    latents = call(vae.to_latents, PLAIN, state, IMAGES)
    np.testing.assert_allclose(latents, q.mean, rtol=1e-6)
    outputs, _ = call(vae.decode, PLAIN, variables_of(PLAIN), latents)
    np.testing.assert_allclose(call(vae.from_latents, PLAIN, state, latents), jax.nn.sigmoid(outputs), atol=1e-6)
    pixels = jnp.round(IMAGES * 255).astype(jnp.uint8)
    np.testing.assert_allclose(
        call(vae.posterior_means, PLAIN, state, pixels),
        call(vae.to_latents, PLAIN, state, pixels.astype(jnp.float32) / 255),
        atol=1e-6,
    )


def test_defaults_are_the_papers():
    """One hidden layer of 500 tanh units, weights from N(0, 0.01), Adagrad, one latent an image."""
    config = vae.Config()
    assert config.encoder == config.decoder == MLP((500,), activation="tanh", initializer=Normal(0.01))
    assert config.optimizer == Optimizer(0.01, Adagrad()) and config.objective == ELBO(1.0, 0.0, 0, 1)
    state = jax.eval_shape(lambda: vae.init(config, jax.random.key(0)))
    count = lambda tree: sum(leaf.size for leaf in jax.tree.leaves(tree))  # noqa: E731
    params = state.autoencoder.params
    assert (count(params["encoder"]), count(params["decoder"])) == (412_540, 403_284)


def test_the_sigma_vae_has_one_parameter_more():
    sigma = dataclasses.replace(PLAIN, likelihood=LearnedGaussian(), decoder=SharedScale(PLAIN.decoder))
    sizes = [
        sum(
            leaf.size
            for leaf in jax.tree.leaves(jax.eval_shape(lambda c=c: vae.init(c, jax.random.key(0))).autoencoder.params)
        )
        for c in (PLAIN, sigma)
    ]
    assert sizes[1] == sizes[0] + 1


@pytest.mark.parametrize(("setting", "value"), [("latent_dim", 0), ("value_range", (0.0, 2.0))])
def test_settings_out_of_range_are_refused(setting, value):
    with pytest.raises(ValueError, match=f"{setting} is .*, but must be"):
        dataclasses.replace(TINY, **{setting: value})


@pytest.mark.parametrize(
    "penalty", [MeanDiscrepancy(2.0), TotalCorrelation(3.0), Covariance(), Covariance(of_latents=True)]
)
def test_a_penalty_is_added_to_the_bound_and_one_of_no_weight_leaves_the_elbo(penalty):
    config = dataclasses.replace(PLAIN, penalty=penalty)
    variables, prior = variables_of(PLAIN), jax.random.normal(jax.random.key(4), (6, 3))
    loss, (metrics, _) = call(vae.bound_loss, config, variables, IMAGES, NOISE[:, :1], training(0), prior)
    q, _ = call(vae.encode, PLAIN, variables, IMAGES)
    latents = bounds.reparametrize(q, NOISE)[:, 0]
    added, value = aggregate.penalty_loss(penalty, q, latents, prior)
    assert metrics["penalty"] == pytest.approx(float(value), rel=1e-4)
    assert loss == pytest.approx(float(added - metrics["elbo"]), rel=1e-5)
    names = {field.name for field in dataclasses.fields(penalty)} & {"weight", "off_diagonal", "diagonal"}
    none = dataclasses.replace(config, penalty=dataclasses.replace(penalty, **dict.fromkeys(names, 0.0)))
    loss, (metrics, _) = call(vae.bound_loss, none, variables, IMAGES, NOISE[:, :1], training(0), prior)
    assert loss == pytest.approx(-float(metrics["elbo"]), rel=1e-6)


def test_an_update_with_a_penalty_draws_the_prior_and_the_same_latents_as_one_without():
    state, key = TestContract.init(PLAIN), jax.random.key(3)
    config = dataclasses.replace(PLAIN, penalty=MeanDiscrepancy())
    _, plain = call(vae.update, PLAIN, state, IMAGES, key)
    _, penalized = call(vae.update, config, state, IMAGES, key)
    assert penalized["elbo"] == pytest.approx(float(plain["elbo"]), rel=1e-6)
    added = penalized["loss"] - plain["loss"]
    assert added == pytest.approx(float(penalized["penalty"]), abs=1e-5) and added > 0
