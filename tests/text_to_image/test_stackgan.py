"""StackGAN: its losses by hand, stage II on a stage I that stays as it is, and the contract of both stages."""

import dataclasses

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.batches import Captioned
from jaxgen.mode import Mode
from jaxgen.moving_averages import Exponential
from jaxgen.nets.gan_cls import TextDiscriminator
from jaxgen.nets.initializers import Normal as Gaussian
from jaxgen.nets.stackgan import StageOneGenerator, StageTwoGenerator, TextAugmentation
from jaxgen.priors import Normal
from jaxgen.text_to_image import stackgan
from jaxgen.train_state import apply
from tests import contract
from tests.text_to_image.words import Letters, captions

WEIGHTS = Gaussian(0.4)
ONE = stackgan.Config(
    image_shape=(16, 16, 3),
    caption_length=6,
    text_features=3,
    encoder=Letters(),
    prior=Normal(2),
    code_features=2,
    augmentation=TextAugmentation(WEIGHTS),
    generator=StageOneGenerator(4, initializer=WEIGHTS),
    discriminator=TextDiscriminator(3, 3, initializer=WEIGHTS),
    mismatch=0.25,
    average=Exponential(0.15),
)
TWO = dataclasses.replace(
    ONE,
    generator=StageTwoGenerator(2, 1, initializer=Gaussian(0.2)),
    stage_one=stackgan.StageOne((16, 16, 3), ONE.augmentation, StageOneGenerator(4, initializer=WEIGHTS)),
)
TEXTS = captions("red", "green", "blue", "white", length=6)
IMAGES = jax.random.uniform(jax.random.key(1), (3, 4, 16, 16, 3), minval=-1.0)
MODE = Mode(keys=jax.random.split(jax.random.key(3), 4), step=jnp.int32(0), train=True)
init = jax.jit(stackgan.init, static_argnums=0)


class TestContract(contract.Suite):
    # The first convolutions of a dense layer whose units are normalised: its bias is taken away.
    case = contract.Case(
        stackgan,
        ONE,
        refused=("image_shape", "r1.weight"),
        inert=("r1.every",),
        unreached=("['generator']['generator']['first']['bias']",),
    )


@pytest.mark.exhaustive
class TestStageTwoContract(contract.Suite):
    case = contract.Case(
        stackgan, TWO, refused=("image_shape", "stage_one.image_shape", "r1.weight"), inert=("r1.every",)
    )


def codes(stage, variables, texts, noise):
    outputs, _ = apply(stage.augmentation, variables, texts, (4,), mode=MODE, part="augmentation")
    mean, log_deviation = np.split(np.asarray(outputs), 2, axis=1)
    kl = 0.5 * (mean**2 + np.exp(2 * log_deviation) - 1 - 2 * log_deviation).mean(axis=1)
    return mean + np.exp(log_deviation) * noise, kl


def test_the_generators_loss_is_equation_2():
    state = init(ONE, jax.random.key(0))
    texts = stackgan.embed(ONE, state.encoder, TEXTS)
    noise = stackgan.draw_noise(ONE, jax.random.key(4), 4)
    assert noise.sketch is None and np.abs(noise.code).max() <= 2
    given = noise.latents, texts, noise.code
    loss, (metrics, _) = jax.jit(stackgan.generator_loss, static_argnums=0)(
        ONE, state.generator.variables, state.discriminator.variables, IMAGES[0], given, MODE
    )
    code, kl = codes(ONE, state.generator.variables, texts, noise.code)

    @jax.jit
    def score(variables, opponent):
        images, _ = apply(ONE.generator, variables, noise.latents, code, ONE.image_shape, mode=MODE, part="generator")
        return apply(ONE.discriminator, opponent, jnp.tanh(images), texts, (), mode=MODE)[0]

    scores = score(state.generator.variables, state.discriminator.variables)
    np.testing.assert_allclose(metrics["kl"], kl.mean(), rtol=1e-5)
    np.testing.assert_allclose(loss, -np.log(jax.nn.sigmoid(scores)).mean() + 2 * kl.mean(), rtol=1e-4)


def test_a_text_of_mean_0_and_deviation_1_costs_nothing_and_without_noise_its_code_is_the_mean():
    state = init(ONE, jax.random.key(0))
    texts, latents = stackgan.embed(ONE, state.encoder, TEXTS), jnp.zeros((4, 2))
    generate = jax.jit(stackgan.generate, static_argnums=(0, 1))
    silent = state.generator.variables
    params = silent["params"] | {"augmentation": jax.tree.map(jnp.zeros_like, silent["params"]["augmentation"])}
    images, kl, _ = generate(ONE, ONE, silent | {"params": params}, (latents, texts, jnp.zeros((4, 2))), MODE)
    np.testing.assert_array_equal(kl, 0)
    chex.assert_trees_all_equal(images[0], images[1])  # a weight of zero: no influence of the text
    _, kl, _ = generate(ONE, ONE, silent, (latents, texts, jnp.zeros((4, 2))), MODE)
    assert (np.asarray(kl) > 0).all()
    drawn = jax.jit(stackgan.from_latents, static_argnums=0)(ONE, state, latents, TEXTS)
    mean = jnp.asarray(codes(ONE, state.ema, texts, 0.0)[0])
    wanted, _ = apply(ONE.generator, state.ema, latents, mean, ONE.image_shape, part="generator")
    np.testing.assert_allclose(drawn, jnp.tanh(wanted), atol=1e-5)


@pytest.mark.exhaustive
def test_stage_two_draws_over_the_sketches_of_a_stage_one_that_no_step_moves():
    state, batch = init(TWO, jax.random.key(0)), Captioned(IMAGES.reshape(12, 16, 16, 3)[:8], jnp.tile(TEXTS, (2, 1)))
    after, _ = jax.jit(stackgan.update, static_argnums=0)(TWO, state, batch, jax.random.key(1))
    chex.assert_trees_all_equal(after.stage_one, state.stage_one)
    chex.assert_trees_all_equal(after.encoder, state.encoder)
    assert contract.differs(after.generator.params, state.generator.params)
    draw = jax.jit(lambda state: stackgan.sample(TWO, state, jax.random.key(2), 4, TEXTS))
    other = state._replace(stage_one=state.stage_one.replace(variables=init(ONE, jax.random.key(5)).ema))
    assert contract.differs(draw(state), draw(other))


def test_the_moving_average_of_a_stage_one_is_what_stage_two_begins_with():
    """By name and shape, as `--pretrained stage_one=RUN:ema` reads it."""
    one, two = (jax.eval_shape(lambda key, c=c: stackgan.init(c, key), jax.random.key(0)) for c in (ONE, TWO))
    chex.assert_trees_all_equal_shapes_and_dtypes(one.ema, two.stage_one.variables)
