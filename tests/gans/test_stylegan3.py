import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.gans import augmented_game, stylegan3
from jaxgen.gans.ada import Adaptive
from jaxgen.gans.fading_blur import FadingBlur
from jaxgen.gans.regularization import Slope
from jaxgen.mode import Mode
from jaxgen.moving_averages import HalfLife
from jaxgen.nets.conditioning import InnerCondition
from jaxgen.nets.mapping import Mapping
from jaxgen.nets.mlp import MLP
from jaxgen.nets.stylegan2 import StyleGAN2Discriminator
from jaxgen.nets.stylegan3 import StyleGAN3Synthesis
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal
from tests import contract
from tests.gans.games import compiled, count

MAPPING = Mapping(1, 4, lr_multiplier=0.5, scaled_activation=True)
TINY = stylegan3.Config(
    image_shape=(16, 16, 1),
    num_classes=3,
    prior=Normal(3),
    mapping=InnerCondition(MAPPING),
    synthesis=StyleGAN3Synthesis(32, 2, num_layers=2, num_critical=1, margin=1, magnitude_half_life=2.0),
    discriminator=InnerCondition(StyleGAN2Discriminator(16, 2, mapping_layers=1)),
    r1=Slope(1.0, every=2),
    blur=FadingBlur(1.0, end=4),
    average=HalfLife(2.0, ramp_up=None),
)
PLAIN = dataclasses.replace(
    TINY, num_classes=0, mapping=MAPPING, discriminator=MLP((4,), activation="tanh"), blur=FadingBlur()
)
REAL, FAKE = jax.random.uniform(jax.random.key(1), (2, 8, 16, 16, 1), minval=-1.0)
LATENTS = jax.random.normal(jax.random.key(2), (8, 3))


def training(step=0, num=8):
    return Mode(jax.random.split(jax.random.key(3), num), step=jnp.asarray(step, jnp.int32), train=True)


class TestContract(contract.Suite):
    case = contract.Case(
        stylegan3,
        TINY,
        inert=(  # the network has no noise; maxima hold; groups of four
            "drawing.noise",
            "drawing.random_noise",
            "synthesis.channel_base",
            "discriminator.net.channel_base",
            "discriminator.net.group",
        ),
        # A side of 17, a kernel of 4, as many critical layers as there are:
        refused=("image_shape", "synthesis.kernel_size", "synthesis.num_critical", "synthesis.last_stopband"),
    )


def test_losses_are_the_non_saturating_ones_of_blurred_images():
    config = dataclasses.replace(PLAIN, blur=FadingBlur(1.0, end=4))
    variables = TestContract.init(config).discriminator.variables
    loss, _ = compiled(stylegan3.discriminator_loss, config)(variables, REAL, FAKE, (), training(1))

    def scores(images):
        blurred = FadingBlur(0.75).transform(images, jnp.int32(0))
        return config.discriminator.apply({"params": variables["params"]}, blurred, ())

    wanted = jax.nn.softplus(-scores(REAL)).mean() + jax.nn.softplus(scores(FAKE)).mean()
    assert float(loss) == pytest.approx(float(wanted), rel=1e-5)
    state = TestContract.init(config)
    inputs = state.generator.variables, variables, LATENTS, (), training(1)
    loss, _ = compiled(stylegan3.generator_loss, config)(*inputs)
    fake, _ = stylegan3.generate(config, state.generator.variables, LATENTS, (), training(1))
    assert float(loss) == pytest.approx(float(jax.nn.softplus(-scores(fake)).mean()), rel=1e-5)


def test_the_penalty_is_sixteen_times_half_the_square_of_the_slope():
    """By the gradient of one image at a time; in the images before the blur."""
    config = dataclasses.replace(PLAIN, r1=Slope(3.0, every=16), blur=FadingBlur(1.0, end=4))
    variables = TestContract.init(config).discriminator.variables
    loss, (metrics, _) = compiled(stylegan3.slope_loss, config)(variables, REAL, (), training())

    def score(image):
        blurred = config.blur.transform(image[None], jnp.int32(0))
        return config.discriminator.apply({"params": variables["params"]}, blurred, ())[0]

    squares = (jax.vmap(jax.grad(score))(REAL) ** 2).sum((1, 2, 3))
    assert float(metrics["r1"]) == pytest.approx(16 * float(squares.mean()), rel=1e-5)
    assert float(loss) == pytest.approx(3 / 2 * 16 * float(squares.mean()), rel=1e-5)


def test_training_moves_the_averages_of_styles_and_magnitudes_in_the_generators_step_alone():
    state = TestContract.init(PLAIN)
    before = state.generator.variables
    _, after = stylegan3.generate(PLAIN, before, LATENTS, (), training())
    assert contract.differs(after["magnitudes"], before["magnitudes"])
    w = PLAIN.mapping.apply({"params": before["params"]["mapping"]}, LATENTS)
    np.testing.assert_allclose(after["averages"]["w"], 0.002 * w.mean(0), rtol=1e-4)
    _, still = stylegan3.generate(PLAIN, before, LATENTS, (), Mode())
    assert not contract.differs(still, before)
    state, _ = compiled(stylegan3.update, PLAIN)(state, REAL, jax.random.key(0))
    moved = state.generator.variables["averages"]["w"]
    assert np.abs(moved).max() < 0.01 * np.abs(w).max()  # one move, not two
    for name in ("averages", "magnitudes", "waves"):
        assert not contract.differs(state.ema[name], state.generator.variables[name])


@pytest.mark.exhaustive
def test_an_augmentation_sees_real_images_and_fakes_in_training():
    config = dataclasses.replace(PLAIN, augmentation=Adaptive(initial=1.0, every=1, speed_images=80.0))
    state = TestContract.init(config)
    variables = state.discriminator.variables
    (augmented, _), (plain, _) = (
        compiled(augmented_game.score, config)(variables, (REAL, ()), mode) for mode in (training(), Mode())
    )
    assert np.abs(augmented - plain).max() > 1e-3
    state, metrics = compiled(stylegan3.update, config)(state, REAL, jax.random.key(0))
    p = state.discriminator.collections["augmentation"]["state"].p
    assert float(p) == pytest.approx(1.0 + 0.1 * np.sign(float(metrics["real_sign"]) - 0.6))


def test_transformed_coordinates_move_an_image():
    """By 2 pixels to the right; the identity changes nothing."""
    state = TestContract.init(PLAIN)
    transforms = jnp.tile(jnp.eye(3)[None], (8, 1, 1))
    draw = compiled(stylegan3.transformed, PLAIN)
    images = compiled(stylegan3.from_latents, PLAIN)(state, LATENTS)
    np.testing.assert_allclose(draw(state, LATENTS, transforms), images, atol=1e-6)
    moved = draw(state, LATENTS, transforms.at[:, 0, 2].set(-2 / 16))
    error = ((moved[:, :, 2:] - images[:, :, :-2]) ** 2).mean() / images.var()
    assert error < 0.05 < ((moved - images) ** 2).mean() / images.var()


def test_classes_are_given_to_both_networks():
    config, state = TINY, TestContract.init()
    labels = jnp.arange(8, dtype=jnp.int32) % 3
    images = [compiled(stylegan3.to_w, config)(state, LATENTS, given) for given in (None, labels, (labels + 1) % 3)]
    np.testing.assert_array_equal(images[0], images[1])
    assert np.abs(images[1] - images[2]).max() > 1e-3
    scores = [compiled(stylegan3.discriminate, config)(state, REAL, given) for given in (labels, (labels + 1) % 3)]
    assert np.abs(scores[0] - scores[1]).max() > 1e-3


def test_the_default_is_the_papers_for_ffhq():
    config = stylegan3.Config()
    state = jax.eval_shape(lambda: stylegan3.init(config, jax.random.key(0)))
    assert count(state.generator.params) == 22_313_167 and count(state.discriminator.params) == 29_012_513
    assert config.generator_optimizer == Optimizer(0.0025, Adam(b1=0.0, b2=0.99, eps=1e-8))
    assert config.discriminator_optimizer.learning_rate == pytest.approx(0.00188235, rel=1e-5)
    assert config.r1 == Slope(32.0, every=16) and config.style_decay == 0.998
    assert config.average == HalfLife(10_000 / 32, ramp_up=None)
    assert FadingBlur(10.0).end == 200_000 // 32


@pytest.mark.parametrize("decay", [-0.1, 1.0])
def test_settings_out_of_range_are_refused(decay):
    with pytest.raises(ValueError, match=r"style_decay is .*, but must be in \[0, 1\)"):
        dataclasses.replace(TINY, style_decay=decay)
