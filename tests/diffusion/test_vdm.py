"""VDM: the bound's parts in closed form, the learned ends, the levels, the sampler, and the contract."""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.autoencoders.likelihoods import Bernoulli
from jaxgen.diffusion import vdm
from jaxgen.diffusion.schedules.levels import preserving
from jaxgen.images import content_keys
from jaxgen.mode import EVALUATION
from jaxgen.moving_averages import Constant
from jaxgen.nets.unet.fourier_inputs import FourierInputs
from jaxgen.optimizers import Adam, Optimizer
from tests import contract
from tests.diffusion.networks import Exact, Tiny

TINY = vdm.Config(
    image_shape=(4, 4, 1),
    num_classes=3,
    denoiser=FourierInputs(Tiny(), (2,)),
    schedule=vdm.Gammas(-6.0, 0.5),
    num_levels=16,
    binarize="once",
    sampler=vdm.GammaSteps(3),
    optimizer=Optimizer(1e-3, Adam()),
    average=Constant(0.5),
)

GREY = dataclasses.replace(TINY, num_levels=256, binarize="never")
BINARY = dataclasses.replace(TINY, num_levels=2, num_classes=0)


class TestContract(contract.Suite):
    case = contract.Case(
        vdm,
        TINY,
        unreached=("['denoiser']['denoiser']['network']['MLP_0']['Dense_0']['bias']",),
    )


class Told:
    """The level of what the network is told of gamma."""

    def __init__(self, gammas):
        self.gammas = gammas

    def level(self, label):
        """alpha and sigma."""
        return preserving(-(self.gammas.end + (self.gammas.start - self.gammas.end) * label / 1000.0))


def exact(**settings):
    """The denoiser of data from N(0, .5^2), on the schedule of the reference."""
    gammas = vdm.Gammas()
    return vdm.Config(
        image_shape=(1,), value_range=None, denoiser=Exact(0.0, 0.5, Told(gammas)), schedule=gammas, **settings
    )


NUM = 40_000


def parts(config, shares, num=NUM):
    """Of as many numbers from N(0, .5^2)."""
    state = vdm.init(config, jax.random.key(0))
    data = 0.5 * jax.random.normal(jax.random.key(1), (num, 1))
    return jax.jit(lambda key: vdm.bound(config, state, data, key, shares))(jax.random.key(2))


def evenly(num=NUM):
    """Shares in the middles of as many parts of [0, 1]."""
    return (jnp.arange(num, dtype=jnp.float32) + 0.5) / num


def test_the_bound_in_continuous_time_is_the_closed_form_of_the_reference():
    """5.9560146336 nats of diffusion; with the rest the entropy of the data, to 1e-2 nats of 40,000 draws."""
    found = parts(exact(), evenly())
    assert float(found.diffusion.mean()) == pytest.approx(5.9560146336, rel=0.01)
    entropy = 0.5 * math.log(2 * math.pi * math.e * 0.25)
    assert float(sum(part.mean() for part in found)) == pytest.approx(entropy, abs=0.06)


@pytest.mark.parametrize(("steps", "nats"), [(1, 74523.916), (10, 15.7275646), (100, 6.4856904), (1000, 6.0062368)])
def test_the_bound_of_finitely_many_steps_is_that_of_the_reference(steps, nats):
    found = parts(exact(num_steps=steps), evenly())
    assert float(found.diffusion.mean()) == pytest.approx(nats, rel=0.02)


def test_the_bound_depends_on_the_schedule_through_its_ends_alone():
    """On the schedule gamma(t^2) its derivative has the factor 2 t, and the mean over t is the same."""
    straight, shares = parts(exact(), evenly()).diffusion.mean(), evenly()
    bent = (2.0 * shares * parts(exact(), shares**2).diffusion).mean()
    assert float(bent) == pytest.approx(float(straight), rel=0.01)


def test_the_prior_of_a_one_is_that_of_the_reference():
    config = exact()
    state = vdm.init(config, jax.random.key(0))
    found = vdm.bound(config, state, jnp.ones((1, 1)), jax.random.key(0), jnp.zeros(1))
    assert float(found.prior[0]) == pytest.approx(0.0033576742, rel=1e-3)


def test_the_reconstruction_is_the_softmax_over_the_levels():
    config = dataclasses.replace(GREY, num_levels=4, image_shape=(3,))
    np.testing.assert_allclose(vdm.middles(config), [-0.75, -0.25, 0.25, 0.75])
    clean, x, first = jnp.array([[0.3, -0.9, 0.1]]), jnp.array([[0.25, -0.75, 0.75]]), jnp.float32(-2.0)
    densities = np.exp(-((np.asarray(clean)[..., None] - np.asarray(vdm.middles(config))) ** 2) / (2 * np.exp(-2.0)))
    wanted = -np.log(densities[0, [0, 1, 2], [2, 0, 3]] / densities[0].sum(1)).sum()
    np.testing.assert_allclose(vdm.reconstruction_nll(config, clean, x, first), [wanted], rtol=1e-5)


def test_images_of_levels_survive_the_way_there_and_back():
    config = dataclasses.replace(GREY, image_shape=(256,))
    images, keys = jnp.linspace(-1.0, 1.0, 256)[None], jax.random.split(jax.random.key(0), 1)
    x = vdm.to_middles(config, images, keys)
    np.testing.assert_allclose(x[0], (2 * np.arange(256) + 1) / 256 - 1, atol=1e-6)
    np.testing.assert_allclose(vdm.to_images(config, x), images, atol=1e-6)
    np.testing.assert_allclose(vdm.to_images(config, x + 0.003), images, atol=1e-6)


@pytest.mark.parametrize("binarize", ["once", "threshold", "each_step"])
def test_binary_pixels_are_those_of_an_autoencoder(binarize):
    """An evaluation draws the pixels of an image once."""
    config = dataclasses.replace(BINARY, binarize=binarize)
    images = jax.random.uniform(jax.random.key(3), (5, 4, 4, 1), minval=-1.0)
    keys = content_keys(images, (-1.0, 1.0)) if binarize == "each_step" else jax.random.split(jax.random.key(0), 5)
    pixels = Bernoulli(binarize).observe(images, keys, (-1.0, 1.0))
    np.testing.assert_array_equal(vdm.to_middles(config, images, keys), pixels - 0.5)
    state = vdm.init(config, jax.random.key(0))
    first, second = (vdm.bound(config, state, images, jax.random.key(seed), jnp.zeros(5)).prior for seed in (0, 1))
    np.testing.assert_array_equal(first, second)
    assert set(np.unique(vdm.sample(config, state, jax.random.key(1), 3)).tolist()) <= {-1.0, 1.0}


def test_both_ends_of_gamma_are_learned():
    """By the reconstruction and by the prior, whatever the network."""
    config = dataclasses.replace(BINARY, schedule=vdm.Gammas(-1.0, 3.0))
    state = vdm.init(config, jax.random.key(0))
    drawn = vdm.Drawn(
        jnp.full((2, 4, 4, 1), 0.5), None, *jax.random.normal(jax.random.key(1), (2, 2, 4, 4, 1)), jnp.array([0.2, 0.7])
    )
    for part in ("reconstruction", "prior"):
        slopes = jax.grad(
            lambda params, part=part: getattr(
                vdm.parts_of_bound(config, {**state.ema, "params": params}, drawn, EVALUATION)[0], part
            ).sum()
        )(state.ema["params"])["gamma"]
        assert abs(float(slopes["first"])) > 1e-4
        assert (abs(float(slopes["span"])) > 1e-4) == (part == "prior")
    backwards = {"params": {"gamma": {"first": jnp.float32(-5.0), "span": jnp.float32(-7.0)}}}
    assert float(vdm.gamma_at(backwards, 1.0)) == 2.0  # monotone whatever is learned


def test_the_loss_is_the_bound_in_bits_for_each_number():
    config = dataclasses.replace(BINARY, denoiser=FourierInputs(Tiny(rate=0.0, norm="none"), ()))
    state = vdm.init(config, jax.random.key(0))
    images = jax.random.uniform(jax.random.key(3), (5, 4, 4, 1), minval=-1.0)
    keys = tuple(jax.random.split(jax.random.key(7), (3, 5)))
    shares = jnp.linspace(0.1, 0.9, 5)
    drawn = vdm.draws(config, images, None, shares, keys)
    loss, (metrics, _) = vdm.bound_loss(config, state.ema, drawn, EVALUATION)
    found, _ = vdm.parts_of_bound(config, state.ema, drawn, EVALUATION)
    nats = sum(float(part.mean()) for part in found)
    assert float(loss) == float(metrics["bits_per_dim"]) == pytest.approx(nats / 16 / math.log(2), rel=1e-5)
    assert not np.allclose(drawn.noise, drawn.first_noise)


def test_samples_of_the_exact_network_have_the_distribution_of_the_data():
    config = exact(sampler=vdm.GammaSteps(200))
    found = vdm.sample(config, vdm.init(config, jax.random.key(0)), jax.random.key(1), 4_000)
    assert float(found.mean()) == pytest.approx(0.0, abs=0.03)
    assert float(found.std()) == pytest.approx(0.5, abs=0.02)


def test_a_step_is_the_posterior_of_the_next_level_given_the_data_that_is_estimated():
    """One step to gamma_0: its mean by Bayes' rule, from z and the x that epsilon stands for."""
    config = exact(sampler=vdm.GammaSteps(1))
    state = vdm.init(config, jax.random.key(0))
    states = vdm.trajectory(config, state, jax.random.key(1), 2_000)
    z, (alpha, sigma), (alpha_0, sigma_0) = states[0], preserving(np.float64(-5.0)), preserving(np.float64(13.3))
    x = alpha * 0.25 / (alpha**2 * 0.25 + sigma**2) * z
    variance = sigma**2 - (alpha / alpha_0) ** 2 * sigma_0**2
    mean = alpha / alpha_0 * sigma_0**2 / sigma**2 * z + alpha_0 * variance / sigma**2 * x
    residual = np.asarray(alpha_0 * states[1] - mean, np.float64)
    assert residual.std() == pytest.approx(math.sqrt(variance) * sigma_0 / sigma, rel=0.05)
    assert abs(residual.mean()) < 4 * residual.std() / 2_000**0.5


def test_settings_out_of_range_are_refused():
    for make, sentence in (
        (lambda: vdm.Gammas(5.0, 5.0), "end is 5.0, but must be below start=5.0"),
        (lambda: vdm.GammaSteps(0), "steps is 0, but must be at least 1"),
        (lambda: dataclasses.replace(GREY, num_levels=1), "num_levels is 1, but must be at least 2"),
        (lambda: dataclasses.replace(TINY, num_steps=-1), "num_steps is -1, but must be at least 0"),
    ):
        with pytest.raises(ValueError, match=sentence):
            make()
