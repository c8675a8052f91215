import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.batches import Labelled
from jaxgen.conditions import one_hot
from jaxgen.gans import r3gan
from jaxgen.mode import Mode
from jaxgen.moving_averages import NoAverage, RampedHalfLife
from jaxgen.nets.conditioning import ConcatCondition, InnerCondition
from jaxgen.nets.instance_noise import InstanceNoise
from jaxgen.nets.mlp import MLP
from jaxgen.nets.r3gan import R3GANDiscriminator, R3GANGenerator
from jaxgen.optimizers import Cosine, Optimizer, RampedAdam
from jaxgen.priors import Normal
from jaxgen.ramps import CosineRamp
from jaxgen.train_state import apply
from tests import contract
from tests.gans.games import assert_close, compiled, count

ADAM = Optimizer(1e-3, RampedAdam(b2=CosineRamp(0.9, 0.99, 4)), Cosine(4, final=0.25))
NETS = {"channels": (4, 4), "groups": (2, 1), "blocks": 1}
TINY = r3gan.Config(
    image_shape=(4, 4, 1),
    num_classes=3,
    prior=Normal(3),
    generator=ConcatCondition(MLP((4,), negative_slope=0.2)),
    discriminator=InstanceNoise(ConcatCondition(MLP((4,), negative_slope=0.2)), std=0.1),
    gamma=CosineRamp(0.5, 0.05, 4),
    penalty_every=2,
    generator_optimizer=ADAM,
    discriminator_optimizer=ADAM,
    average=RampedHalfLife(CosineRamp(0.1, 2.0, 3)),
)
PLAIN = dataclasses.replace(  # nothing random in the networks
    TINY,
    generator=ConcatCondition(MLP((5,), negative_slope=0.2)),
    discriminator=ConcatCondition(MLP((5, 5), activation="tanh")),
    penalty_every=1,
    average=NoAverage(),
)
LABELS = jnp.array([0, 1, 2, 2, 1, 0, 1, 2], jnp.int32)
REAL = jax.random.uniform(jax.random.key(1), (8, 4, 4, 1), minval=-1.0)
FAKE = jax.random.uniform(jax.random.key(3), (8, 4, 4, 1), minval=-1.0)
GIVEN = (one_hot(LABELS, 3),)
FIRST = Mode(step=jnp.int32(0), train=True)


OWN = dataclasses.replace(  # the networks of the paper
    TINY,
    generator=InnerCondition(R3GANGenerator(**NETS, embedding=2)),
    discriminator=InnerCondition(R3GANDiscriminator(**NETS)),
    penalty_every=1,
)


class TestContract(contract.OverDevices):
    # What is added to all scores changes nothing.
    case = contract.Case(r3gan, TINY, unreached=("['discriminator']['net']['Dense_1']['bias']",))


def discriminator_loss(config, variables, real=REAL, fake=FAKE, given=GIVEN, mode=FIRST):
    loss, (metrics, _) = compiled(r3gan.discriminator_loss, config)(variables, real, fake, given, mode)
    return float(loss), {name: float(value) for name, value in metrics.items()}


def with_scores(shift=0.0):
    """A discriminator whose score of an example is its only number, and what it is shown."""
    config = dataclasses.replace(PLAIN, num_classes=0, image_shape=(1,), discriminator=MLP(()))
    variables = {"params": {"Dense_0": {"kernel": jnp.ones((1, 1)), "bias": jnp.full(1, shift)}}}
    return config, variables


@pytest.mark.parametrize("shift", [0.0, 5.0])
def test_golden_values_of_both_players_whatever_is_added_to_all_scores(shift):
    """Means of sp(l_f - l_r) and sp(l_r - l_f) over three pairs; R_1 = R_2 = 1, the slope of a score that is x."""
    real, fake = jnp.array([[2.0], [-1.0], [0.5]]), jnp.array([[-1.5], [0.3], [1.0]])
    config, variables = with_scores(shift)
    loss, metrics = discriminator_loss(config, variables, real, fake, ())
    assert metrics["r1"] == pytest.approx(1.0) and metrics["r2"] == pytest.approx(1.0)
    assert loss == metrics["discriminator_loss"] == pytest.approx(0.8482786188 + 0.5 / 2 * 2, rel=1e-6)
    generator = {"params": {"Dense_0": {"kernel": jnp.ones((1, 1)), "bias": jnp.zeros(1)}}}
    config = dataclasses.replace(config, prior=Normal(1), generator=MLP(()))
    loss, _ = compiled(r3gan.generator_loss, config)(generator, variables, (real, ()), fake, FIRST)
    assert float(loss) == pytest.approx(1.4149452854, rel=1e-6)


def test_a_fresh_pair_of_networks_has_equal_penalties_and_players_that_cannot_tell_lose_log_2():
    """The fresh discriminator is linear: one slope for each class. Paired with itself a score leaves ln 2."""
    config, state = OWN, TestContract.init(OWN)
    _, metrics = discriminator_loss(config, state.discriminator.variables)
    assert metrics["r1"] == pytest.approx(metrics["r2"], rel=1e-5) and metrics["r1"] > 1e-4
    loss, metrics = discriminator_loss(config, state.discriminator.variables, REAL, REAL)
    assert loss - 0.25 * (metrics["r1"] + metrics["r2"]) == pytest.approx(math.log(2), rel=1e-5)
    assert metrics["fake_certainty"] == metrics["real_certainty"] == 0.0


def test_the_players_losses_are_each_others_with_real_and_fake_exchanged():
    """Without its penalty."""
    config = dataclasses.replace(PLAIN, gamma=CosineRamp(0.0, 0.0, 1))
    state, latents = TestContract.init(config), jax.random.normal(jax.random.key(5), (8, 3))
    opponent = state.discriminator.variables
    fake, _ = r3gan.generate(config, state.generator.variables, latents, *GIVEN)
    inputs = state.generator.variables, opponent, (REAL, GIVEN), latents, FIRST
    loss, _ = compiled(r3gan.generator_loss, config)(*inputs)
    assert discriminator_loss(config, opponent, fake, REAL)[0] == pytest.approx(float(loss), rel=1e-5)


def test_the_weight_of_the_penalties_follows_the_ramp():
    state = TestContract.init(PLAIN)
    for step, gamma in ((0, 0.5), (2, 0.275), (4, 0.05), (9, 0.05)):  # halfway at half the time
        mode = Mode(step=jnp.int32(step), train=True)
        loss, metrics = discriminator_loss(PLAIN, state.discriminator.variables, mode=mode)
        free, _ = discriminator_loss(
            dataclasses.replace(PLAIN, gamma=CosineRamp(0.0, 0.0, 1)), state.discriminator.variables, mode=mode
        )
        assert loss - free == pytest.approx(gamma / 2 * (metrics["r1"] + metrics["r2"]), rel=1e-4)
    with pytest.raises(ValueError, match="weight of the penalties counts updates, but this pass has no step"):
        r3gan.discriminator_loss(PLAIN, state.discriminator.variables, REAL, FAKE, GIVEN, Mode())


def test_lazy_penalties_come_every_so_often_and_count_as_many_times():
    """So that their mean over the updates is that of penalties in each; loss and gradient are without them between."""
    lazy = dataclasses.replace(PLAIN, penalty_every=3)
    variables = TestContract.init(PLAIN).discriminator.variables
    for step in range(7):
        mode = Mode(step=jnp.int32(step), train=True)
        (loss, found), (whole, wanted) = (discriminator_loss(config, variables, mode=mode) for config in (lazy, PLAIN))
        times = 3 if step % 3 == 0 else 0
        for name in ("r1", "r2"):
            assert found[name] == pytest.approx(times * wanted[name], rel=1e-5)
        gamma = float(PLAIN.gamma.at(jnp.int32(step)))
        extra = (times - 1) * gamma / 2 * (wanted["r1"] + wanted["r2"])
        assert loss - whole == pytest.approx(extra, rel=1e-4, abs=1e-6)


def test_each_fake_is_paired_with_the_real_image_of_its_place_and_label():
    state, latents = TestContract.init(PLAIN), jax.random.normal(jax.random.key(5), (8, 3))
    loss = compiled(r3gan.generator_loss, PLAIN)
    order = jnp.array([1, 0, 2, 3, 4, 5, 6, 7])

    def found(real, given, latents):
        inputs = state.generator.variables, state.discriminator.variables, (real, given), latents, FIRST
        return float(loss(*inputs)[0])

    together = found(REAL[order], (GIVEN[0][order],), latents[order])
    assert together == pytest.approx(found(REAL, GIVEN, latents), rel=1e-5)
    assert abs(found(REAL[order], GIVEN, latents) - together) > 1e-5
    assert abs(found(REAL, (GIVEN[0][order],), latents) - together) > 1e-5


def test_update_is_a_step_of_each_player_done_by_hand():
    """Each with its own half of the batch and its own latents; the penalty by the slope of one example at a time."""
    config = contract.with_sgd(PLAIN, 0.05)
    state, key = TestContract.init(config), jax.random.key(2)
    state = state._replace(generator=state.generator.replace(step=jnp.int32(2)))
    images = jax.random.uniform(jax.random.key(7), (16, 4, 4, 1), minval=-1.0)
    labels = jnp.arange(16, dtype=jnp.int32) % 3
    found, _ = compiled(r3gan.update, config)(state, Labelled(images, labels), key)
    latents = config.prior.draw(jax.random.split(key)[0], 16)

    @jax.jit
    def by_hand(state):
        def score(params, image, classes):
            return apply(config.discriminator, {"params": params}, image[None], classes[None], ())[0][0]

        def fakes(params, part):
            classes = one_hot(labels[part::2], 3)
            return apply(config.generator, {"params": params}, latents[part::2], classes, (4, 4, 1))[0], classes

        def of_d(params):
            fake, classes = fakes(state.generator.params, 0)

            def pair(real, fake, classes):
                gap = score(params, fake, classes) - score(params, real, classes)
                slopes = [jax.grad(score, 1)(params, image, classes) for image in (real, fake)]
                return jnp.log1p(jnp.exp(gap)) + 0.275 / 2 * sum((slope**2).sum() for slope in slopes)

            return jax.vmap(pair)(images[0::2], fake, classes).mean()

        def of_g(params):
            fake, classes = fakes(params, 1)
            gaps = [jax.vmap(lambda x, y: score(after, x, y))(each, classes) for each in (images[1::2], fake)]
            return jnp.log1p(jnp.exp(gaps[0] - gaps[1])).mean()

        def stepped(params, loss):
            return jax.tree.map(lambda param, grad: param - 0.05 * grad, params, jax.grad(loss)(params))

        after = stepped(state.discriminator.params, of_d)
        return stepped(state.generator.params, of_g), after

    assert_close((found.generator.params, found.discriminator.params), by_hand(state))
    assert not contract.differs(found.ema, found.generator.variables)


def test_the_average_is_the_generator_itself_at_first():
    config = contract.with_sgd(dataclasses.replace(PLAIN, average=RampedHalfLife(CosineRamp(0.0, 5.0, 3))), 0.05)
    batch, state = Labelled(jnp.concatenate([REAL, FAKE]), jnp.tile(LABELS, 2)), TestContract.init(config)
    state, _ = compiled(r3gan.update, config)(state, batch, jax.random.key(0))
    assert not contract.differs(state.ema, state.generator.variables)
    state, _ = compiled(r3gan.update, config)(state, batch, jax.random.key(1))
    assert contract.differs(state.ema, state.generator.variables)


def test_the_class_changes_the_image_and_its_score_and_images_are_clipped():
    config, state, others = OWN, TestContract.init(OWN), (LABELS + 1) % 3
    latents = 9 * jax.random.normal(jax.random.key(2), (8, 3))
    images, different = (compiled(r3gan.from_latents, config)(state, latents, labels) for labels in (LABELS, others))
    assert (np.abs(images - different).max((1, 2, 3)) > 1e-3).all()
    assert images.min() == -1.0 and images.max() == 1.0
    scores, different = (compiled(r3gan.discriminate, config)(state, REAL, labels) for labels in (LABELS, others))
    assert (np.abs(scores - different) > 1e-5).all()


def test_without_classes_batches_are_data_alone_of_any_shape_and_samples_have_no_bounds():
    net = {"generator": MLP((3,)), "discriminator": MLP((3,), negative_slope=0.2)}
    config = contract.with_sgd(
        dataclasses.replace(PLAIN, image_shape=(2,), value_range=None, num_classes=0, **net), 0.1
    )
    assert config.batch_type is None
    points, key = 3 * jax.random.normal(jax.random.key(4), (8, 2)), jax.random.key(5)
    state = TestContract.init(config)
    found, metrics = compiled(r3gan.update, config)(state, points, key)
    latents = config.prior.draw(jax.random.split(key)[0], 8)
    fake, _ = r3gan.generate(config, state.generator.variables, latents[0::2])
    _, wanted = discriminator_loss(config, state.discriminator.variables, points[0::2], fake, ())
    for name in ("discriminator_loss", "r1", "r2"):
        assert metrics[name] == pytest.approx(wanted[name], rel=1e-5)
    assert contract.differs(found.generator.params, state.generator.params)
    latents = 99 * jax.random.normal(jax.random.key(6), (5, 3))
    samples = r3gan.from_latents(config, found, latents)
    assert samples.shape == (5, 2) and np.abs(samples).max() > 1
    assert r3gan.discriminate(config, found, points).shape == (8,)


def test_the_default_is_the_papers_for_cifar10():
    """20 million images of 512 in an update; the half-life of 5 million."""
    config = r3gan.Config()
    state = jax.eval_shape(lambda: r3gan.init(config, jax.random.key(0)))
    assert (count(state.generator.params), count(state.discriminator.params)) == (20_781_952, 21_280_512)
    end = round(2e7 / 512 - 0.5)
    assert config.gamma == CosineRamp(0.05, 0.005, end)
    wanted = Optimizer(2e-4, RampedAdam(0.0, CosineRamp(0.9, 0.99, end), 1e-8), Cosine(end, final=0.25))
    assert config.generator_optimizer == config.discriminator_optimizer == wanted
    assert config.average == RampedHalfLife(CosineRamp(0.0, float(round(5e6 / 512)), end))
    assert config.batch_type is Labelled and config.minibatches == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_classes": -1}, "num_classes is -1, but must be at least 0"),
        ({"penalty_every": 0}, "penalty_every is 0, but must be at least 1"),
        ({"gamma": CosineRamp(-0.1, 0.1, 1)}, "gamma is CosineRamp.*, but must be at least 0"),
        ({"gamma": CosineRamp(0.1, -0.1, 1)}, "gamma is CosineRamp.*, but must be at least 0"),
    ],
)
def test_settings_out_of_range_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(TINY, **changes)


def test_a_discriminator_with_batch_statistics_is_refused():
    config = dataclasses.replace(PLAIN, discriminator=ConcatCondition(MLP((4,), norm="batch")))
    with pytest.raises(ValueError, match="needs a critic that scores each example on its own"):
        jax.eval_shape(lambda: r3gan.init(config, jax.random.key(0)))
