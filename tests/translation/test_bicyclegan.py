"""BicycleGAN: its losses by hand, what the latent loss moves, its halves, and the contract."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.batches import Paired
from jaxgen.mode import Mode
from jaxgen.nets.bicyclegan import CodedUNetTranslator, CodeEncoder, ScaledDiscriminator
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.parallel import example_keys
from jaxgen.train_state import apply
from jaxgen.translation import bicyclegan
from jaxgen.translation.bicyclegan import Noise
from jaxgen.translation.cycles import Both
from tests import contract
from tests.gans.games import assert_close

ADAM = Optimizer(1e-3, Adam(b1=0.5))
TINY = bicyclegan.Config(
    input_shape=(16, 16, 1),
    image_shape=(16, 16, 2),
    code_dim=4,
    generator=CodedUNetTranslator(channels=2, downs=2, norm="layer"),
    encoder=CodeEncoder(channels=8, blocks=1, norm="layer"),
    discriminator=ScaledDiscriminator(channels=2, layers=1, norm="layer"),
    l1_weight=100.0,  # or gradients of a fresh encoder are near the rounding of its weights
    kl_weight=0.3,
    generator_optimizer=ADAM,
    discriminator_optimizer=ADAM,
)
INPUTS = jax.random.uniform(jax.random.key(1), (3, 16, 16, 1), minval=-1.0)
TARGETS, OTHERS = jax.random.uniform(jax.random.key(2), (2, 3, 16, 16, 2), minval=-1.0)
PAIRS = Paired(INPUTS, TARGETS)
NOISE = Noise(*jax.random.normal(jax.random.key(3), (2, 3, 4)))
MODE = Mode(keys=jax.random.split(jax.random.key(4), 3), step=jnp.int32(0), train=True)


class TestContract(contract.Suite):
    """Dropout needs more halvings; images of 16 pixels have no smaller scale, nor two channels a half of a half."""

    case = contract.Case(
        bicyclegan,
        TINY,
        inert=("generator.rate",),
        refused=("input_shape", "image_shape", *(f"discriminator.{name}" for name in ("channels", "layers", "scales"))),
        answers=(),  # as in the authors' code: the generators step first, and the fakes are those of before
    )


@pytest.fixture(scope="module")
def state():
    """Weights are larger than fresh ones, so that every term of a loss is."""
    fresh = jax.jit(bicyclegan.init, static_argnums=0)(TINY, jax.random.key(0))
    generator = fresh.generator.replace(params=jax.tree.map(lambda leaf: 20.0 * leaf, fresh.generator.params))
    return fresh._replace(generator=generator, ema=generator.variables)


def scores(state, part, images):
    return apply(TINY.discriminator, state.discriminator.variables, images, (), part=part)[0]


def squares(maps, wanted):
    return sum(((each - wanted) ** 2).mean() for each in maps)


def generate(state, codes):
    return jnp.tanh(apply(TINY.generator, state.generator.variables, INPUTS, codes, (16, 16, 2), part="generator")[0])


def encode(state, images):
    outputs, _ = apply(TINY.encoder, state.generator.variables, images, (8,), part="encoder")
    return outputs[:, :4], outputs[:, 4:]


@pytest.mark.exhaustive
def test_generator_and_encoder_pay_for_both_branches(state):
    found = jax.jit(functools.partial(bicyclegan.generator_loss, TINY))
    inputs = state.generator.variables, state.discriminator.variables, (PAIRS, OTHERS), NOISE, MODE
    loss, (metrics, _) = found(*inputs)
    mean, logvar = encode(state, TARGETS)
    encoded = generate(state, mean + jnp.exp(logvar / 2) * NOISE.deviations)
    random = generate(state, NOISE.codes)
    game = squares(scores(state, "a", encoded), 1) + squares(scores(state, "b", random), 1)
    l1 = jnp.abs(encoded - TARGETS).mean()
    kl = (-0.5 * (1 + logvar - mean**2 - jnp.exp(logvar)).sum(axis=1)).mean()
    latent = jnp.abs(encode(state, random)[0] - NOISE.codes).mean()
    np.testing.assert_allclose(metrics["kl"], kl, rtol=1e-4)
    np.testing.assert_allclose(metrics["latent_loss"], latent, rtol=1e-5)
    np.testing.assert_allclose(loss, game + 100 * l1 + 0.3 * kl + 0.5 * latent, rtol=1e-5)


def test_the_latent_loss_moves_the_generator_alone(state):
    def loss(params):
        variables = {"params": params}
        images, _ = bicyclegan.generate(TINY, variables, INPUTS, NOISE.codes, MODE)
        return bicyclegan.latent_loss(TINY, variables, images, NOISE.codes, MODE)

    grads = jax.jit(jax.grad(loss))(state.generator.params)
    assert all(not leaf.any() for leaf in jax.tree.leaves(grads["encoder"]))
    assert any(leaf.any() for leaf in jax.tree.leaves(grads["generator"]))


def test_an_encoder_that_says_nothing_costs_no_divergence(state):
    variables = jax.tree.map(jnp.zeros_like, state.generator.variables)
    (mean, logvar), _ = bicyclegan.encode(TINY, variables, TARGETS)
    assert not mean.any() and not logvar.any()
    assert bicyclegan.standard_normal_kl(mean, logvar).tolist() == [0.0] * 3


def test_each_discriminator_pays_for_its_own_branch_over_both_scales(state):
    fakes = Both(-TARGETS, 0.5 * OTHERS)
    found = jax.jit(functools.partial(bicyclegan.discriminator_loss, TINY))
    loss, _ = found(state.discriminator.variables, Both(TARGETS, OTHERS), fakes, MODE)
    wanted = squares(scores(state, "a", TARGETS), 1) + squares(scores(state, "a", fakes.a), 0)
    wanted += squares(scores(state, "b", OTHERS), 1) + squares(scores(state, "b", fakes.b), 0)
    np.testing.assert_allclose(loss, wanted, rtol=1e-5)


def test_an_odd_batch_is_refused(state):
    with pytest.raises(ValueError, match="batch size is 3, but must be even"):
        jax.eval_shape(functools.partial(bicyclegan.update, TINY), state, PAIRS, jax.random.key(0))


@pytest.mark.exhaustive
def test_inputs_of_the_second_half_play_no_part(state):
    """The second of each two pairs gives its target alone."""
    batch = Paired(*(jnp.repeat(each, 2, axis=0) for each in (INPUTS, TARGETS)))
    other = batch._replace(inputs=batch.inputs.at[1::2].set(0.25))
    update = jax.jit(functools.partial(bicyclegan.update, TINY))
    one, same = (update(state, each, jax.random.key(0))[0] for each in (batch, other))
    jax.tree.map(np.testing.assert_array_equal, one.generator.params, same.generator.params)
    other = batch._replace(targets=batch.targets.at[1::2].set(0.25))
    changed, _ = update(state, other, jax.random.key(0))
    parts = [jax.tree.leaves(each.discriminator.params["b"]) for each in (one, changed)]
    assert any((a != b).any() for a, b in zip(*parts, strict=True))


def test_an_image_is_made_with_the_code_of_its_own_key(state):
    images = bicyclegan.sample(TINY, state, jax.random.key(0), 3, INPUTS)
    codes = TINY.prior.draw(example_keys(jax.random.key(0), 3), 3)
    assert_close(images, generate(state, codes))
    with pytest.raises(ValueError, match="condition is None, but must be the inputs"):
        bicyclegan.sample(TINY, state, jax.random.key(0), 3)
