"""VQ-VAE-2: the loss written out, what moves what, the priors' probabilities of whole grids, settings."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.autoencoders import codebook, vq_vae_2
from jaxgen.autoencoders.codebook import ByGradient, ByMovingAverage
from jaxgen.autoencoders.vq_vae_2 import Both
from jaxgen.mode import Mode
from jaxgen.nets.grid import GridDecoder
from jaxgen.nets.pixelcnn import PixelCNN
from jaxgen.nets.vq_vae_2 import BottomEncoder, Features, GivenTop, TopEncoder, TwoGridDecoder
from tests import contract
from tests.nets.parameters import moved

TINY = vq_vae_2.Config(
    image_shape=(4, 4, 1),
    halvings=0,
    features=2,
    num_codes=4,
    code_dim=2,
    codebook=ByMovingAverage(decay=0.6, restart_below=0.7),  # without restarts an update has no use for its key
    encoder=Features(1, 2),
    top_encoder=TopEncoder(Features(1, 2)),
    bottom_encoder=BottomEncoder(GridDecoder(2, 2, 2)),
    decoder=TwoGridDecoder(GridDecoder(2, 2, 2)),
    top_prior=PixelCNN(3, 1),
    bottom_prior=GivenTop(PixelCNN(3, 1), residual_blocks=1),
)


SAME_SIZE = dataclasses.replace(TINY, top_halvings=0)  # an image of varied height halves that often, too


class TestContract(contract.Suite):
    case = contract.Case(
        vq_vae_2,
        SAME_SIZE,
        # Of codebooks that learn by gradient: see `TestGradientContract`.
        inert=("codebook_optimizer.learning_rate",),
        shared=("codebook_optimizer",),
        answers=(("top_prior", "autoencoder"), ("bottom_prior", "autoencoder")),
    )


@pytest.mark.exhaustive
class TestGradientContract(contract.Suite):
    """Codebooks that learn by gradient are players of their own."""

    case = contract.Case(
        vq_vae_2,
        dataclasses.replace(SAME_SIZE, codebook=ByGradient()),
        optimizers=(("codebooks/top", "codebook_optimizer"), ("codebooks/bottom", "codebook_optimizer")),
        answers=tuple(
            (answering, to)
            for answering, tos in {
                "codebooks/top": ("autoencoder",),
                "codebooks/bottom": ("autoencoder",),
                "top_prior": ("autoencoder", "codebooks/top"),
                "bottom_prior": ("autoencoder", "codebooks/top", "codebooks/bottom"),
            }.items()
            for to in tos
        ),
    )

    def test_update_is_a_function_of_its_key(self, update):
        """Without restarts and dropout nothing is drawn, and the key changes nothing."""
        config, step = update
        states = [step(self.init(config), self.batches(1)[0], jax.random.key(number))[0] for number in (0, 1)]
        for one, other in zip(*map(jax.tree.leaves, states), strict=True):
            np.testing.assert_array_equal(one, other)


TRAINING = Mode(train=True)
IMAGES = jax.random.uniform(jax.random.key(1), (5, 4, 4, 1), minval=-1.0)


@functools.cache
def state_of(config=TINY):
    """Every weight at work."""
    state = vq_vae_2.init(config, jax.random.key(0))
    players = {
        name: player.replace(params=moved(player.variables)["params"])
        for name, player in state._asdict().items()
        if name != "codebooks"
    }
    return state._replace(**players)


@functools.cache
def program(name):
    return jax.jit(getattr(vq_vae_2, name), static_argnums=0)


def nearest(encodings, vectors):
    distances = np.square(np.asarray(encodings)[..., None, :] - np.asarray(vectors)).sum(-1)
    return np.asarray(vectors)[distances.argmin(-1)]


def test_the_loss_is_written_out_in_numpy():
    state = state_of()
    vectors, variables = vq_vae_2.vectors_of(TINY, state.codebooks), state.autoencoder.variables
    loss, (metrics, _) = program("autoencoder_loss")(TINY, variables, vectors, IMAGES, TRAINING)
    params = variables["params"]
    features = TINY.encoder.apply({"params": params["encoder"]}, IMAGES, (4, 4, 2))
    above = TINY.top_encoder.apply({"params": params["top_encoder"]}, features, (2, 2, 2))
    top = nearest(above, vectors.top)
    below = TINY.bottom_encoder.apply({"params": params["bottom_encoder"]}, features, jnp.asarray(top), (4, 4, 2))
    bottom = nearest(below, vectors.bottom)
    outputs = TINY.decoder.apply({"params": params["decoder"]}, jnp.asarray(bottom), jnp.asarray(top), (4, 4, 1))
    error = np.square(np.asarray(outputs) - IMAGES).mean()
    of_top, of_bottom = (np.square(np.asarray(z) - e).mean() for z, e in ((above, top), (below, bottom)))
    assert metrics["mean_squared_error"] == pytest.approx(error, rel=1e-4)
    assert metrics["commitment/top"] == pytest.approx(of_top, rel=1e-4)
    assert metrics["commitment/bottom"] == pytest.approx(of_bottom, rel=1e-4)
    assert loss == pytest.approx(error + 0.25 * (of_top + of_bottom), rel=1e-4)
    scaled = dataclasses.replace(TINY, pixel_variance=0.5)
    loss = program("autoencoder_loss")(scaled, variables, vectors, IMAGES, TRAINING)[0]
    assert loss == pytest.approx(2 * error + 0.25 * (of_top + of_bottom), rel=1e-4)


def test_the_whole_learns_from_the_image_through_both_grids():
    """Without a weight of commitment every encoder has a gradient: it passed both quantisations."""
    config = dataclasses.replace(TINY, commitment_weight=0.0)
    state = state_of()
    vectors = vq_vae_2.vectors_of(config, state.codebooks)

    def loss(params):
        return vq_vae_2.autoencoder_loss(config, {"params": params}, vectors, IMAGES, TRAINING)[0]

    gradients = jax.jit(jax.grad(loss))(state.autoencoder.params)
    for name in ("encoder", "top_encoder", "bottom_encoder", "decoder"):
        assert max(float(jnp.abs(leaf).max()) for leaf in jax.tree.leaves(gradients[name])) > 1e-4, name


def test_codebooks_follow_the_encoder_that_has_just_moved_each_by_its_own_grid():
    config, key = contract.with_sgd(TINY, 0.1), jax.random.key(2)
    state = state_of(config)
    after, metrics = program("update")(config, state, IMAGES, key)
    vectors = vq_vae_2.vectors_of(config, state.codebooks)
    found, _ = program("encode")(config, after.autoencoder.variables, vectors, IMAGES)
    for name, own in zip(Both._fields, jax.random.split(key), strict=True):
        encodings, before = getattr(found.encodings, name), getattr(state.codebooks, name)
        codes = codebook.nearest(encodings, getattr(vectors, name))
        wanted = codebook.follow(before, config.codebook, encodings, codes, own)
        np.testing.assert_allclose(getattr(after.codebooks, name).sums, wanted.sums, atol=1e-5)
    codes = vq_vae_2.codes_of(found.encodings, vq_vae_2.vectors_of(config, after.codebooks))
    assert metrics["perplexity/top"] == pytest.approx(float(codebook.perplexity(codes.top, 4)), rel=1e-5)
    _, (of_prior, _) = program("bottom_prior_loss")(config, state.bottom_prior.variables, codes, TRAINING)
    assert metrics["prior_nll/bottom"] == pytest.approx(float(of_prior["prior_nll/bottom"]), rel=1e-4)
    assert metrics["bits_per_code/bottom"] == pytest.approx(
        float(metrics["prior_nll/bottom"]) / 16 / np.log(2), rel=1e-5
    )
    assert metrics["bits_per_code/top"] == pytest.approx(float(metrics["prior_nll/top"]) / 4 / np.log(2), rel=1e-5)


@pytest.mark.exhaustive
def test_codes_are_drawn_with_the_probabilities_that_the_priors_give_to_both_grids():
    """Grids of 1 x 1 over 2 x 2, two codes each: frequencies of 20,000 draws against exp(-NLL), which sum to one."""
    config = dataclasses.replace(TINY, image_shape=(2, 2, 1), num_codes=2)
    state = state_of(config)
    grids = np.stack(np.meshgrid(*[np.arange(2)] * 5, indexing="ij"), axis=-1).reshape(32, 5)
    both = Both(jnp.asarray(grids[:, :1].reshape(32, 1, 1)), jnp.asarray(grids[:, 1:].reshape(32, 2, 2)))

    def nll(top, bottom):
        codes = Both(top[None], bottom[None])
        above = vq_vae_2.top_prior_loss(config, state.top_prior.variables, codes, TRAINING)[0]
        return above + vq_vae_2.bottom_prior_loss(config, state.bottom_prior.variables, codes, TRAINING)[0]

    probabilities = np.exp(-np.asarray(jax.jit(jax.vmap(nll))(*both)))
    assert probabilities.sum() == pytest.approx(1.0, rel=1e-5)
    drawn = jax.jit(functools.partial(vq_vae_2.draw_codes, config), static_argnums=2)(state, jax.random.key(5), 20_000)
    flat = np.concatenate([np.asarray(grid).reshape(20_000, -1) for grid in drawn], axis=1)
    found = np.bincount(flat @ np.array([16, 8, 4, 2, 1]), minlength=32) / 20_000
    np.testing.assert_allclose(found, probabilities, atol=5 * np.sqrt(probabilities.max() / 20_000))


def test_images_lead_to_codes_and_back():
    state = state_of()
    codes = program("to_codes")(TINY, state, IMAGES)
    assert codes.top.shape == (5, 2, 2) and codes.bottom.shape == (5, 4, 4)
    outputs = program("reconstruct")(TINY, state, IMAGES)
    np.testing.assert_array_equal(outputs, program("from_codes")(TINY, state, codes))
    assert (outputs >= -1).all() and (outputs <= 1).all()


@pytest.mark.exhaustive
def test_training_reconstructs_images_of_few_kinds_and_draws_them_as_often_as_they_come():
    config = dataclasses.replace(
        TINY,
        codebook=ByMovingAverage(decay=0.9),
        features=8,
        top_prior=PixelCNN(8, 2),
        bottom_prior=GivenTop(PixelCNN(8, 2), residual_blocks=1),
        autoencoder_optimizer=dataclasses.replace(TINY.autoencoder_optimizer, learning_rate=1e-2),
        top_prior_optimizer=dataclasses.replace(TINY.top_prior_optimizer, learning_rate=1e-2),
        bottom_prior_optimizer=dataclasses.replace(TINY.bottom_prior_optimizer, learning_rate=1e-2),
    )
    kinds = IMAGES[:2]
    images = kinds[jnp.array([0, 0, 0, 1] * 4)]
    run = jax.jit(
        lambda state, keys: jax.lax.scan(lambda state, key: vq_vae_2.update(config, state, images, key), state, keys)
    )
    state, metrics = run(vq_vae_2.init(config, jax.random.key(0)), jax.random.split(jax.random.key(1), 400))
    entropy = 0.75 * np.log(4 / 3) + 0.25 * np.log(4)
    assert metrics["mean_squared_error"][-1] < 0.01 < metrics["mean_squared_error"][0]
    together = metrics["prior_nll/top"][-1] + metrics["prior_nll/bottom"][-1]
    assert together == pytest.approx(entropy, abs=0.1)
    samples = vq_vae_2.sample(config, state, jax.random.key(2), 200)
    distances = jnp.square(samples[:, None] - kinds[None]).mean(axis=(2, 3, 4))
    assert np.asarray(distances.argmin(axis=1) == 0).mean() == pytest.approx(0.75, abs=0.12)


def test_the_grids_of_an_image_of_256():
    assert vq_vae_2.grid_shapes(vq_vae_2.Config()) == ((32, 32, 64), (64, 64, 64))


def test_images_that_do_not_halve_so_often_are_refused():
    with pytest.raises(ValueError, match=r"image_shape is \(28, 28, 1\), but must be multiples of 8: halvings"):
        vq_vae_2.init(dataclasses.replace(TINY, image_shape=(28, 28, 1), halvings=2), jax.random.key(0))


@pytest.mark.parametrize(
    ("setting", "value"),
    [("halvings", -1), ("top_halvings", -1), ("features", 0), ("num_codes", 1), ("pixel_variance", 0.0)],
)
def test_settings_out_of_range_are_refused(setting, value):
    with pytest.raises(ValueError, match=f"{setting} is {value}, but must be"):
        dataclasses.replace(TINY, **{setting: value})
