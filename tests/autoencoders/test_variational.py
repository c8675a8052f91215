import dataclasses
import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.autoencoders import bounds, variational
from jaxgen.autoencoders.bounds import Terms
from jaxgen.autoencoders.likelihoods import Bernoulli, DiscretizedLogistic, Gaussian, Likelihood
from jaxgen.mode import EVALUATION, Mode, fold
from jaxgen.nets.conditioning import ConcatCondition
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import SGD, Optimizer
from jaxgen.priors import normal_noise
from jaxgen.train_state import create_parts
from tests.contract import differs


@dataclasses.dataclass(frozen=True)
class Config:
    """What the shelf reads of a model's config."""

    encoder: nn.Module = ConcatCondition(MLP((5,)))
    decoder: nn.Module = ConcatCondition(MLP((5,)))
    latent_dim: int = 3
    image_shape: tuple[int, ...] = (4,)
    value_range: tuple[float, float] | None = (0.0, 1.0)
    likelihood: Likelihood = Gaussian(0.5)


class Drawn(nn.Module):
    """Random numbers from the keys of the pass, one for each example."""

    @nn.compact
    def __call__(self, inputs, output_shape, *, mode=EVALUATION):
        numbers = jax.vmap(jax.random.normal)(mode.example_keys("Drawn"))
        return jnp.broadcast_to(numbers[:, None], (len(inputs), *output_shape))


CONFIG = Config()
IMAGES = jax.random.uniform(jax.random.key(1), (6, 4))
CLASSES = jax.nn.one_hot(jnp.arange(6) % 2, 2)
NOISE = jax.random.normal(jax.random.key(2), (6, 5, 3))


@functools.cache
def variables():
    return create_parts(variational.coders(CONFIG, (2,)), Optimizer(0.1, SGD()), jax.random.key(0)).variables


def of_part(part):
    return {name: tree[part] for name, tree in variables().items()}


@pytest.mark.parametrize("likelihood", [Gaussian(), DiscretizedLogistic()])
def test_a_decoder_makes_what_the_likelihood_takes_and_an_encoder_two_numbers_a_latent(likelihood):
    parts = variational.coders(dataclasses.replace(CONFIG, likelihood=likelihood), (2,))
    (_, images, of_encoder, shape), (_, latents, of_decoder, outputs) = parts["encoder"], parts["decoder"]
    assert images.shape == (1, 4) and latents.shape == (1, 3) and of_encoder.shape == of_decoder.shape == (1, 2)
    assert shape == (3, 2) and outputs == likelihood.output_shape((4,))
    assert len(variational.coders(CONFIG)["encoder"]) == 3  # no condition


def test_both_networks_get_the_condition():
    q, _ = variational.encode(CONFIG, variables(), IMAGES, CLASSES)
    outputs = CONFIG.encoder.apply(of_part("encoder"), IMAGES, CLASSES, (3, 2))
    np.testing.assert_array_equal(q.mean, outputs[..., 0])
    np.testing.assert_array_equal(q.logvar, outputs[..., 1])
    decoded, _ = variational.decode(CONFIG, variables(), NOISE[:, 0], CLASSES)
    wanted = CONFIG.decoder.apply(of_part("decoder"), NOISE[:, 0], CLASSES, (4,))
    np.testing.assert_array_equal(decoded, wanted)


def test_several_latents_of_an_example_are_decoded_as_each_alone_with_its_condition():
    found, _ = variational.decode_each(CONFIG, variables(), NOISE, CLASSES, mode=EVALUATION)
    nll = variational.nll_of_each(CONFIG, found, IMAGES)
    assert nll.shape == (6, 5)
    for k in range(5):
        outputs, _ = variational.decode(CONFIG, variables(), NOISE[:, k], CLASSES)
        np.testing.assert_allclose(found.reshape(6, 5, 4)[:, k], outputs, atol=1e-6)
        np.testing.assert_allclose(nll[:, k], CONFIG.likelihood.nll(outputs, IMAGES, (0.0, 1.0)), rtol=1e-5)


@pytest.mark.parametrize(
    ("call", "inputs", "own"),
    [("encode", IMAGES, "encoder"), ("decode", NOISE[:, 0], "decoder"), ("decode_each", NOISE, "decoder")],
)
def test_a_pass_in_training_changes_the_statistics_of_its_own_network_alone(call, inputs, own):
    net = MLP((5,), norm="batch")
    config = dataclasses.replace(CONFIG, encoder=net, decoder=net)
    before = create_parts(variational.coders(config), Optimizer(0.1, SGD()), jax.random.key(0)).variables
    _, after = getattr(variational, call)(config, before, inputs, mode=Mode(train=True))
    for part in ("encoder", "decoder"):
        assert differs(before["batch_stats"][part], after["batch_stats"][part]) == (part == own)


class Layers(nn.Module):
    """Random numbers as the layers of a network draw them: from the keys of the pass, and from those folded thrice."""

    @nn.compact
    def __call__(self, inputs, output_shape, *, mode=EVALUATION):
        keys = mode.example_keys("Layers")
        drawn = [jax.vmap(jax.random.normal)(each) for each in (keys, *(fold(keys, number) for number in range(3)))]
        return jnp.stack(drawn, axis=1).reshape(len(inputs), *output_shape)


@pytest.mark.parametrize("num", [1, 5])
def test_no_layer_of_encoder_or_decoder_draws_what_another_draws(num):
    config = dataclasses.replace(CONFIG, encoder=Layers(), decoder=Layers(), latent_dim=2)
    mode = Mode(jax.random.split(jax.random.key(3), 6), train=True)
    q, _ = variational.encode(config, {"params": {}}, IMAGES, mode=mode)
    outputs, _ = variational.decode_each(config, {"params": {}}, jnp.zeros((6, num, 2)), mode=mode)
    drawn = np.concatenate([np.ravel(each) for each in (q.mean, q.logvar, outputs)])
    assert len(np.unique(drawn)) == len(drawn) == 6 * (4 + num * 4)


def test_each_latent_of_an_example_has_keys_of_its_own_and_a_single_one_those_of_the_example():
    config, keys = dataclasses.replace(CONFIG, decoder=Drawn()), jax.random.split(jax.random.key(3), 6)
    mode = Mode(keys, train=True)
    one, _ = variational.decode_each(config, {"params": {"decoder": {}}}, NOISE[:, :1], mode=mode)
    wanted = jax.vmap(jax.random.normal)(mode.stream(1).keys)  # stream 0 is the encoder's
    np.testing.assert_allclose(one[:, 0], wanted, rtol=1e-6)
    alone, _ = variational.decode(config, {"params": {"decoder": {}}}, NOISE[:, 0], mode=mode)
    np.testing.assert_array_equal(alone, one)
    each, _ = variational.decode_each(config, {"params": {"decoder": {}}}, NOISE, mode=mode)
    assert len(np.unique(each[:, 0])) == 30


def test_noise_is_standard_normal_and_the_same_however_many_devices_share_the_batch():
    key = jax.random.key(4)
    noise = variational.noise(CONFIG, key, 1_000, 5)
    np.testing.assert_array_equal(noise, normal_noise((5, 3), key, 1_000))
    flat = noise.reshape(1_000, 15)
    np.testing.assert_allclose(np.cov(flat.T), np.eye(15), atol=0.2)  # six standard errors of a variance
    draw = jax.vmap(lambda _: variational.noise(CONFIG, key, 2, 5, "shards"), axis_name="shards", axis_size=3)
    shares = draw(jnp.arange(3))
    np.testing.assert_array_equal(shares.reshape(6, 5, 3), variational.noise(CONFIG, key, 6, 5))


def test_observed_pixels_are_drawn_from_the_images_own_noise():
    config = dataclasses.replace(CONFIG, likelihood=Bernoulli("each_step"))
    pixels = variational.observed(config, IMAGES)
    assert set(np.unique(pixels)) == {0.0, 1.0}
    np.testing.assert_array_equal(variational.observed(config, IMAGES[::-1]), pixels[::-1])
    once = dataclasses.replace(config, likelihood=Bernoulli("once"))
    np.testing.assert_array_equal(pixels, variational.observed(once, IMAGES))


def test_evidence_draws_noise_for_as_many_latents_as_are_in_memory_at_a_time():
    """Terms made of the noise itself: means over all latents, whatever the chunk's number."""
    shapes, key = [], jax.random.key(5)

    def terms_of(noise):
        shapes.append(noise.shape)
        return Terms(noise.sum(2), jnp.zeros(noise.shape[:2]), jnp.ones((6, 3)))

    found = variational.evidence(terms_of, CONFIG, IMAGES, key, (8, 4))
    assert set(shapes) == {(6, 4, 3)}
    noise = np.concatenate([variational.noise(CONFIG, each, 6, 4) for each in jax.random.split(key, 2)], axis=1)
    np.testing.assert_allclose(found.nll, noise.sum(2).mean(1), atol=1e-5)
    np.testing.assert_allclose(found.log_evidence, np.log(np.exp(-noise.sum(2)).mean(1)), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(found.kl, jnp.full(6, 3.0))
    with pytest.raises(ValueError, match="num_samples is 8, but must be a multiple of the chunk, 3"):
        variational.evidence(terms_of, CONFIG, IMAGES, key, (8, 3))


def test_log_variances_of_an_encoder_are_clipped():
    config = dataclasses.replace(CONFIG, encoder=MLP(()), decoder=MLP(()))
    part = {"Dense_0": {"kernel": jnp.zeros((4, 6)), "bias": jnp.full(6, 1e4)}}
    q, _ = variational.encode(config, {"params": {"encoder": part}}, IMAGES)
    np.testing.assert_array_equal(q.logvar, jnp.full((6, 3), bounds.LOGVAR_RANGE[1]))
