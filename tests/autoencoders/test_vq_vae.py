import dataclasses
import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen import parallel
from jaxgen.autoencoders import code_grids, codebook, vq_vae
from jaxgen.autoencoders.codebook import ByGradient, ByMovingAverage
from jaxgen.mode import Mode
from jaxgen.nets.grid import GridDecoder, GridEncoder
from jaxgen.nets.mlp import MLP
from jaxgen.nets.pixelcnn import PixelCNN
from jaxgen.train_state import apply
from tests import contract

TINY = vq_vae.Config(
    image_shape=(4, 2, 1),
    halvings=0,  # an image of varied height halves that often, too
    num_codes=6,
    code_dim=2,
    codebook=ByMovingAverage(decay=0.6, restart_below=0.7),  # without restarts an update has no use for its key
    encoder=MLP((6,), norm="batch"),
    decoder=MLP((6,), negative_slope=0.1),
    prior=PixelCNN(channels=3, layers=1),
)


class TestContract(contract.OverDevices):
    case = contract.Case(
        vq_vae,
        TINY,
        unreached=("['autoencoder']['encoder']['Dense_0']['bias']",),  # batch normalisation takes it out
        # Of a codebook that learns by gradient: see `TestGradientContract`.
        inert=("codebook_optimizer.learning_rate",),
        shared=("codebook_optimizer",),
        answers=(("prior", "autoencoder"),),
    )


@pytest.mark.exhaustive
class TestGradientContract(contract.Suite):
    """A codebook that learns by gradient is a player of its own."""

    case = contract.Case(
        vq_vae,
        dataclasses.replace(TINY, codebook=ByGradient()),
        unreached=("['autoencoder']['encoder']['Dense_0']['bias']",),
        answers=(("codebook", "autoencoder"), ("prior", "autoencoder"), ("prior", "codebook")),
    )

    def test_update_is_a_function_of_its_key(self, update):
        """Without restarts and dropout nothing is drawn, and the key changes nothing."""
        config, step = update
        states = [step(self.init(config), self.batches(1)[0], jax.random.key(number))[0] for number in (0, 1)]
        chex.assert_trees_all_equal(*states)


TRAINING = Mode(train=True)
encodings_of, to_codes, from_codes, prior_loss, autoencoder_loss, code_logits = (  # one program in place of many
    jax.jit(function, static_argnums=0)
    for function in (
        vq_vae.encodings_of,
        vq_vae.to_codes,
        vq_vae.from_codes,
        vq_vae.prior_loss,
        vq_vae.autoencoder_loss,
        vq_vae.code_logits,
    )
)


def images_of(num, config=TINY):
    return jax.random.uniform(jax.random.key(1), (num, *config.image_shape), minval=-1.0)


def gradient_of_codebook_loss(vectors, encodings):
    def loss(vectors):
        return vq_vae.codebook_loss({"params": {"embedding": vectors}}, encodings)[0]

    return jax.jit(jax.grad(loss))(vectors)


@pytest.mark.exhaustive
def test_loss_is_the_first_and_third_term_of_equation_3_written_out_in_numpy():
    state, images = TestContract.init(), images_of(5)
    vectors = vq_vae.vectors_of(TINY, state.codebook)
    variables = state.autoencoder.variables
    loss, (metrics, _) = autoencoder_loss(TINY, variables, vectors, images, TRAINING)
    z, _ = apply(TINY.encoder, variables, images, (4, 2, 2), mode=TRAINING, part="encoder")
    distances = np.square(np.asarray(z)[..., None, :] - np.asarray(vectors)).sum(-1)
    quantized = np.asarray(vectors)[distances.argmin(-1)]
    outputs, _ = apply(TINY.decoder, variables, jnp.asarray(quantized), (4, 2, 1), part="decoder")
    error = np.square(np.asarray(outputs) - images).mean()
    commitment = np.square(np.asarray(z) - quantized).mean()
    assert metrics["mean_squared_error"] == pytest.approx(error, rel=1e-5)
    assert metrics["commitment"] == pytest.approx(commitment, rel=1e-5)
    assert loss == pytest.approx(error / 0.25 + 0.25 * commitment, rel=1e-5)


def test_the_encoder_learns_from_the_image_past_the_quantisation_and_from_its_commitment():
    """With a linear encoder W x and a linear decoder V z + c, by hand: W gets V^T of the error, and 2 beta (z - e)."""
    config = dataclasses.replace(TINY, encoder=MLP(()), decoder=MLP(()))
    state, images = TestContract.init(config), images_of(5)
    vectors = vq_vae.vectors_of(config, state.codebook)

    def loss(params):
        return vq_vae.autoencoder_loss(config, {"params": params}, vectors, images, TRAINING)[0]

    gradients = jax.jit(jax.grad(loss))(state.autoencoder.params)
    params = jax.device_get(state.autoencoder.params)
    x = np.asarray(images, np.float64).reshape(5, 8)
    z = (x @ params["encoder"]["Dense_0"]["kernel"]).reshape(5, 8, 2)
    distances = np.square(z[:, :, None] - np.asarray(vectors)[None, None]).sum(-1)
    quantized = np.asarray(vectors)[distances.argmin(-1)]
    error = quantized.reshape(5, 16) @ params["decoder"]["Dense_0"]["kernel"] - x
    to_outputs = 2 * error / error.size / 0.25
    to_codes = to_outputs @ params["decoder"]["Dense_0"]["kernel"].T
    to_codes = to_codes + 0.25 * 2 * (z - quantized).reshape(5, 16) / z.size
    found = gradients["encoder"]["Dense_0"]["kernel"]
    np.testing.assert_allclose(found, x.T @ to_codes, rtol=1e-4, atol=1e-6)
    wanted = quantized.reshape(5, 16).T @ to_outputs
    np.testing.assert_allclose(gradients["decoder"]["Dense_0"]["kernel"], wanted, rtol=1e-4, atol=1e-6)


def test_codebook_loss_moves_each_code_to_the_encodings_that_chose_it():
    vectors = jax.random.normal(jax.random.key(0), (4, 2))
    encodings = jax.random.normal(jax.random.key(1), (3, 5, 2))
    found = gradient_of_codebook_loss(vectors, encodings)
    codes = np.asarray(codebook.nearest(encodings, vectors)).ravel()
    wanted = np.zeros((4, 2))
    np.add.at(wanted, codes, 2 * (np.asarray(vectors)[codes] - np.asarray(encodings).reshape(-1, 2)) / encodings.size)
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-6)


@pytest.mark.exhaustive
def test_a_codebook_learns_by_gradient_and_by_its_own_optimizer():
    """One step on 4 devices is the step of one, down the gradient of the codebook's loss."""
    config = contract.with_sgd(dataclasses.replace(TINY, codebook=ByGradient()), codebook_optimizer=0.5)
    batch, key = images_of(8), jax.random.key(2)
    state = TestContract.init(config)
    wanted, metrics = jax.jit(functools.partial(vq_vae.update, config))(state, batch, key)
    found, _ = parallel.shard_map(vq_vae.update, config)(state, batch, key)
    chex.assert_trees_all_close(jax.device_get(found), jax.device_get(wanted), atol=1e-5)
    assert metrics["codebook_loss"] > 0
    encodings, _ = encodings_of(config, wanted.autoencoder.variables, batch)
    before = vq_vae.vectors_of(config, state.codebook)
    gradient = gradient_of_codebook_loss(before, encodings)
    np.testing.assert_allclose(vq_vae.vectors_of(config, wanted.codebook), before - 0.5 * gradient, atol=1e-6)


@pytest.mark.exhaustive
def test_moving_averages_follow_the_encoder_that_has_just_moved():
    config = contract.with_sgd(TINY, 0.1)
    state, images, key = TestContract.init(config), images_of(8), jax.random.key(2)
    after, metrics = jax.jit(functools.partial(vq_vae.update, config))(state, images, key)
    encodings, _ = encodings_of(config, after.autoencoder.variables, images)
    codes = codebook.nearest(encodings, vq_vae.vectors_of(config, state.codebook))
    wanted = codebook.follow(state.codebook, config.codebook, encodings, codes, key)
    chex.assert_trees_all_close(after.codebook, wanted, atol=1e-5)
    codes = to_codes(config, after, images)
    assert metrics["perplexity"] == pytest.approx(float(codebook.perplexity(codes, 6)), rel=1e-5)
    _, (of_prior, _) = prior_loss(config, state.prior.variables, codes, TRAINING)
    assert metrics["prior_nll"] == pytest.approx(float(of_prior["prior_nll"]), rel=1e-5)


def test_prior_loss_is_the_sum_over_positions_of_the_cross_entropy():
    state = TestContract.init()
    codes = jax.random.randint(jax.random.key(1), (3, 4, 2), 0, 6)
    loss, (metrics, _) = prior_loss(TINY, state.prior.variables, codes, TRAINING)
    logits = np.asarray(code_logits(TINY, state.prior.variables, codes)[0], np.float64)
    log_p = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    nll = -np.take_along_axis(log_p, np.asarray(codes)[..., None], -1).reshape(3, 8).sum(1).mean()
    assert loss == metrics["prior_nll"] == pytest.approx(nll, rel=1e-5)
    assert metrics["bits_per_code"] == pytest.approx(nll / 8 / np.log(2), rel=1e-5)


@pytest.mark.exhaustive
def test_codes_are_drawn_with_the_probabilities_that_the_prior_gives_to_whole_grids():
    """All 2 x 2 x 1 grids of 3 codes: frequencies of 20,000 draws against exp(-NLL), which sum to one."""
    config = dataclasses.replace(TINY, image_shape=(2, 2, 1), num_codes=3)
    state = TestContract.init(config)
    params = jax.tree.map(  # far from uniform
        lambda leaf: leaf + 0.5 * jax.random.normal(jax.random.key(leaf.size), leaf.shape), state.prior.params
    )
    state = state._replace(prior=state.prior.replace(params=params))
    grids = jnp.stack(jnp.meshgrid(*[jnp.arange(3)] * 4, indexing="ij"), axis=-1).reshape(81, 2, 2)
    nll = jax.jit(jax.vmap(lambda grid: vq_vae.prior_loss(config, {"params": params}, grid[None], TRAINING)[0]))(grids)
    probabilities = np.exp(-np.asarray(nll))
    assert probabilities.sum() == pytest.approx(1.0, rel=1e-5)
    assert probabilities.max() > 3 / 81
    draw = jax.jit(functools.partial(vq_vae.draw_codes, config), static_argnums=2)
    codes = np.asarray(draw(state, jax.random.key(5), 20_000)).reshape(-1, 4)
    found = np.bincount(codes @ np.array([27, 9, 3, 1]), minlength=81) / 20_000
    np.testing.assert_allclose(found, probabilities, atol=5 * np.sqrt(probabilities.max() / 20_000))


def test_images_lead_to_codes_and_back():
    state, images = TestContract.init(), images_of(5)
    codes = to_codes(TINY, state, images)
    assert codes.shape == (5, 4, 2) and codes.dtype == jnp.int32
    assert ((codes >= 0) & (codes < 6)).all()
    outputs = jax.jit(functools.partial(vq_vae.reconstruct, TINY))(state, images)
    np.testing.assert_array_equal(outputs, from_codes(TINY, state, codes))
    assert (outputs >= -1).all() and (outputs <= 1).all()
    key = jax.random.key(7)
    drawn = from_codes(TINY, state, jax.jit(lambda state: vq_vae.draw_codes(TINY, state, key, 3))(state))
    np.testing.assert_array_equal(vq_vae.sample(TINY, state, key, 3), drawn)


@pytest.mark.exhaustive
def test_training_reconstructs_images_of_few_kinds_and_learns_how_often_each_comes():
    """Two images, one thrice as often: the error vanishes and the prior's NLL falls to their entropy."""
    config = dataclasses.replace(
        TINY,
        codebook=ByMovingAverage(decay=0.9),
        encoder=MLP((16,)),
        decoder=MLP((16,)),
        prior=PixelCNN(channels=8, layers=2),
        autoencoder_optimizer=dataclasses.replace(TINY.autoencoder_optimizer, learning_rate=1e-2),
        prior_optimizer=dataclasses.replace(TINY.prior_optimizer, learning_rate=1e-2),
    )
    kinds = images_of(2)
    images = kinds[jnp.array([0, 0, 0, 1] * 4)]

    def step(state, key):
        return vq_vae.update(config, state, images, key)

    run = jax.jit(lambda state, keys: jax.lax.scan(step, state, keys))
    state, metrics = run(vq_vae.init(config, jax.random.key(0)), jax.random.split(jax.random.key(1), 300))
    entropy = 0.75 * np.log(4 / 3) + 0.25 * np.log(4)
    assert metrics["mean_squared_error"][-1] < 1e-3 < metrics["mean_squared_error"][0]
    assert metrics["prior_nll"][-1] == pytest.approx(entropy, abs=0.05)
    samples = vq_vae.sample(config, state, jax.random.key(2), 200)
    distances = jnp.square(samples[:, None] - kinds[None]).mean(axis=(2, 3, 4))
    assert np.asarray(distances.min(axis=1) < 0.01).mean() > 0.95
    assert np.asarray(distances.argmin(axis=1) == 0).mean() == pytest.approx(0.75, abs=0.12)


def test_convolutional_networks_give_a_grid_of_a_quarter_of_the_sides_and_the_authors_sizes():
    state = jax.eval_shape(functools.partial(vq_vae.init, vq_vae.Config()), jax.random.key(0))
    count = lambda tree: sum(leaf.size for leaf in jax.tree.leaves(tree))  # noqa: E731
    assert code_grids.grid_shape(vq_vae.Config()) == (8, 8, 64)
    assert count(state.autoencoder.params["encoder"]) == 372_416  # see tests/nets/test_grid.py
    assert count(state.autoencoder.params["decoder"]) == 290_307
    assert state.codebook.sums.shape == (512, 64)


def test_codes_begin_uniform_with_length_one_on_average():
    state = TestContract.init(dataclasses.replace(TINY, num_codes=512, code_dim=16))
    vectors = state.codebook.sums
    assert np.abs(vectors).max() == pytest.approx(np.sqrt(3 / 16), rel=1e-2)
    assert np.square(np.asarray(vectors)).sum(1).mean() == pytest.approx(1.0, rel=0.05)


def test_images_that_do_not_halve_are_refused():
    config = vq_vae.Config(image_shape=(30, 28, 1), encoder=GridEncoder(4), decoder=GridDecoder(4))
    with pytest.raises(ValueError, match="images of 30x28 do not halve 2 times: give fewer halvings"):
        vq_vae.init(config, jax.random.key(0))


def test_a_state_whose_codebook_learns_otherwise_is_refused():
    state = TestContract.init()
    with pytest.raises(ValueError, match="the state's codebook is Averages"):
        vq_vae.to_codes(dataclasses.replace(TINY, codebook=ByGradient()), state, images_of(2))


@pytest.mark.parametrize(
    ("setting", "value"),
    [("halvings", -1), ("num_codes", 1), ("code_dim", 0), ("commitment_weight", -1.0), ("pixel_variance", 0.0)],
)
def test_settings_out_of_range_are_refused(setting, value):
    with pytest.raises(ValueError, match=f"{setting} is {value}, but must be"):
        dataclasses.replace(TINY, **{setting: value})
