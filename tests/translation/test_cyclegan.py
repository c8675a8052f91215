"""CycleGAN: its losses by hand, its step, its history, and the contract."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.batches import Unpaired
from jaxgen.losses import cycle_consistency, identity_mapping
from jaxgen.mode import Mode
from jaxgen.nets.cyclegan import ResNetTranslator
from jaxgen.nets.pix2pix import PatchDiscriminator
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.train_state import apply
from jaxgen.translation import cyclegan
from jaxgen.translation.cycles import Both
from tests import contract
from tests.gans.games import assert_close

ADAM = Optimizer(1e-3, Adam(b1=0.5))
TINY = cyclegan.Config(
    image_shape=(16, 16, 1),
    generator=ResNetTranslator(channels=2, blocks=1),
    discriminator=PatchDiscriminator(channels=2, layers=1, norm="instance"),
    adversarial_weight=0.2,
    cycle_weight=0.5,
    capacity=3,
    generator_optimizer=ADAM,
    discriminator_optimizer=ADAM,
)
IMAGES = Both(*(jax.random.uniform(jax.random.key(seed), (4, 16, 16, 1), minval=-1.0) for seed in (1, 2)))
MODE = Mode(keys=jax.random.split(jax.random.key(3), 4), step=jnp.int32(0), train=True)


def before_instance_norm():
    """Biases that an instance norm takes out again: all but those of last layers, and of D's first."""
    generator = [f"ConvTranspose_{number}" for number in (0, 1)] + [f"Conv_{number}" for number in range(5)]
    names = [("generator", part, layer) for part in ("to_a", "to_b") for layer in generator]
    names += [("discriminator", part, "Conv_1") for part in ("a", "b")]
    return tuple("".join(f"['{name}']" for name in (*path, "bias")) for path in names)


class TestContract(contract.Suite):
    case = contract.Case(
        cyclegan,
        TINY,
        without_noise=True,
        refused=("image_shape",),
        unreached=before_instance_norm(),
        answers=(),  # as in the authors' code: the generators step first, and the fakes are those of before
    )


def networks(state):
    def translator(part):
        return lambda images: jnp.tanh(
            apply(TINY.generator, state.generator.variables, images, TINY.image_shape, part=part)[0]
        )

    def judge(part):
        return lambda images: apply(TINY.discriminator, state.discriminator.variables, images, (), part=part)[0]

    return translator("to_b"), translator("to_a"), judge("a"), judge("b")


@pytest.fixture(scope="module")
def state():
    return cyclegan.init(TINY, jax.random.key(0))


@pytest.mark.exhaustive
def test_the_generators_pay_for_fakes_cycles_and_changed_images(state):
    to_b, to_a, judge_a, judge_b = networks(state)
    config = dataclasses.replace(TINY, adversarial_weight=2.0, cycle_weight=10.0, identity_weight=0.5)
    variables, opponent = state.generator.variables, state.discriminator.variables
    loss, (metrics, _) = cyclegan.generator_loss(config, variables, opponent, IMAGES, MODE)
    fooled = ((judge_b(to_b(IMAGES.a)) - 1) ** 2).mean() + ((judge_a(to_a(IMAGES.b)) - 1) ** 2).mean()
    cycle = cycle_consistency(to_b, to_a, *IMAGES).mean()
    same = identity_mapping(to_b, to_a, *IMAGES).mean()
    np.testing.assert_allclose(metrics["cycle"], cycle, rtol=1e-5)
    np.testing.assert_allclose(metrics["identity"], same, rtol=1e-5)
    np.testing.assert_allclose(loss, fooled + 10 * cycle + 5 * same, rtol=1e-5)


def test_without_a_weight_the_identity_costs_no_pass(state):
    config = dataclasses.replace(TINY, identity_weight=0.0)
    variables, opponent = state.generator.variables, state.discriminator.variables
    _, (metrics, _) = cyclegan.generator_loss(config, variables, opponent, IMAGES, MODE)
    assert "identity" not in metrics


def test_the_discriminators_pay_half_of_their_squares(state):
    _, _, judge_a, judge_b = networks(state)
    fakes = Both(0.5 * IMAGES.b, -IMAGES.a)
    loss, _ = cyclegan.discriminator_loss(TINY, state.discriminator.variables, IMAGES, fakes, MODE)
    wanted = [
        ((judge(real) - 1) ** 2).mean() / 2 + (judge(fake) ** 2).mean() / 2
        for judge, real, fake in zip((judge_a, judge_b), IMAGES, fakes, strict=True)
    ]
    np.testing.assert_allclose(loss, sum(wanted), rtol=1e-5)


@pytest.mark.exhaustive
def test_the_first_updates_show_and_keep_the_latest_fakes_of_the_generators_before_their_step(state):
    """Four images and a history of three: the first three are kept, the fourth may take a place."""
    to_b, to_a, _, _ = networks(state)
    after, _ = jax.jit(cyclegan.update, static_argnums=0)(TINY, state, Unpaired(*IMAGES), jax.random.key(0))
    for kept, latest in zip(after.histories, (to_a(IMAGES.b), to_b(IMAGES.a)), strict=True):
        assert kept.count == 3
        found = np.abs(np.asarray(kept.images)[:, None] - np.asarray(latest)[None]).max(axis=(2, 3, 4)) < 1e-6
        assert found.sum(axis=1).tolist() == [1, 1, 1]


def test_both_directions_are_offered_and_sample_is_to_b(state):
    to_b, to_a, _, _ = networks(state)
    assert_close(cyclegan.to_a(TINY, state, jax.random.key(0), IMAGES.b), to_a(IMAGES.b))
    images = cyclegan.sample(TINY, state, jax.random.key(0), 4, IMAGES.a)
    assert_close(images, to_b(IMAGES.a))
    with pytest.raises(ValueError, match="condition is None, but must be images of domain a"):
        cyclegan.sample(TINY, state, jax.random.key(0), 4)
