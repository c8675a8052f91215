import dataclasses
import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen import parallel
from jaxgen.gans import gan
from jaxgen.gans.discrimination import Discrimination
from jaxgen.gans.drawn_penalties import Divergence, Perturbed
from jaxgen.gans.objectives import Hinge, LeastSquares, NonSaturating, Relativistic
from jaxgen.gans.regularization import Consistency, LatentConsistency, LeCam, Regularization, Slope
from jaxgen.gans.top_k import TopK
from jaxgen.moving_averages import Exponential, NoAverage
from jaxgen.nets.dcgan import DCGANDiscriminator, DCGANGenerator
from jaxgen.nets.diff_augment import DiffAugment
from jaxgen.nets.initializers import Normal as NormalWeights
from jaxgen.nets.initializers import Uniform as UniformWeights
from jaxgen.nets.instance_noise import InstanceNoise
from jaxgen.nets.maxout import Maxout
from jaxgen.nets.mlp import MLP
from jaxgen.nets.spectral import Spectral
from jaxgen.optimizers import SGD, Adam, InverseTime, Optimizer
from jaxgen.priors import Normal, Uniform
from tests import contract
from tests.gans.games import UNREGULARIZED, UNTRICKED, assert_close, compiled, count, stepped, training

TINY = gan.Config(
    image_shape=(4, 4, 1),
    prior=Uniform(3),
    objective=NonSaturating(smoothing=0.1),
    generator=MLP((6,), norm="batch"),
    discriminator=InstanceNoise(Maxout((4,), pieces=2, initializer=UniformWeights(0.5)), 0.1, end=10),
    discriminator_steps=2,
    discrimination=Discrimination(flip=0.2),
    generator_optimizer=Optimizer(1e-3, Adam(b1=0.5)),
    discriminator_optimizer=Optimizer(1e-3, Adam(b1=0.5)),
    average=Exponential(0.15),  # below the warm-up's (1 + t) / (10 + t), so that it shows in the first updates
)
NORMALIZED = dataclasses.replace(  # batch statistics in both players, and nothing random
    TINY,
    discriminator=MLP((4,), norm="batch", negative_slope=0.2),
    discriminator_steps=3,
    objective=Relativistic(),  # which compares with the last minibatch of real examples
    discrimination=UNTRICKED,
    average=NoAverage(),
)
REAL = jax.random.uniform(jax.random.key(1), (12, 4, 4, 1))


class TestContract(contract.OverDevices):
    case = contract.Case(
        gan,
        TINY,
        # A constant before batch normalisation is taken out by its mean.
        unreached=("['generator']['Dense_0']['bias']",),
        inert=UNREGULARIZED,
    )


@pytest.mark.exhaustive
class TestSpectralContract(contract.Suite):
    """SNGAN, its generator normalised as well, batch statistics inside."""

    case = contract.Case(
        gan,
        dataclasses.replace(
            TINY,
            objective=Hinge(),
            generator=Spectral(MLP((6,), norm="batch"), steps=2),
            discriminator=Spectral(MLP((4,), negative_slope=0.2)),
            discrimination=Discrimination(joint=True),
        ),
        unreached=(
            "['discriminator']['inner']['Dense_1']['bias']",  # between the margins all real and fake scores cancel
            "['generator']['inner']['Dense_0']['bias']",  # taken out by batch normalisation
        ),
        inert=UNREGULARIZED,
    )


@pytest.mark.exhaustive
class TestRegularizedContract(contract.Suite):
    """All terms at once, each felt within two updates: on any number of devices the numbers are those of one."""

    case = contract.Case(
        gan,
        dataclasses.replace(
            TINY,
            objective=Hinge(),
            discriminator=DiffAugment(Spectral(MLP((6,), negative_slope=0.2)), translation=0.5),
            discrimination=UNTRICKED,
            regularization=Regularization(
                Consistency(real=10.0, fake=5.0, shift=0.5),
                LeCam(0.3, decay=0.5, one_sided=False),
                Slope(1.0, every=2),
                Slope(0.5, every=3),
                TopK(gamma=0.8, least=0.5, every=1),
                LatentConsistency(2.0, 3.0, std=0.5),
                Perturbed(1.0, scale=2.0),
                Divergence(0.5, power=3.0),
            ),
        ),
        unreached=("['generator']['Dense_0']['bias']",),  # taken out by batch normalisation
    )


@pytest.mark.parametrize(
    "wrap",
    [
        parallel.shard_map,
        pytest.param(parallel.jit, marks=pytest.mark.exhaustive),
        pytest.param(parallel.pmap, marks=pytest.mark.exhaustive),
    ],
)
def test_accumulated_gradients_are_the_same_on_any_devices(wrap):
    """Two steps of each player in four updates, and none in the first."""
    sgd = Optimizer(0.1, SGD(), accumulate=2)
    config = dataclasses.replace(TINY, generator_optimizer=sgd, discriminator_optimizer=sgd, discriminator_steps=1)
    batches = np.random.default_rng(0).integers(0, 256, (4, 8, 4, 4, 1), np.uint8)
    keys = jax.random.split(jax.random.key(1), 4)
    alone, shared = (parallel.jit(gan.update, config, devices=jax.devices()[:1]), wrap(gan.update, config))
    state, wanted = TestContract.init(config), TestContract.init(config)
    before = jax.device_get(state)
    for number, (batch, key) in enumerate(zip(batches, keys, strict=True)):
        (state, _), (wanted, _) = shared(state, batch, key), alone(wanted, batch, key)
        moved = contract.differs(jax.device_get(wanted.generator.params), before.generator.params)
        assert moved == (number > 0)
    chex.assert_trees_all_close(jax.device_get(state), jax.device_get(wanted), atol=1e-5, rtol=1e-5)


CONVOLUTIONAL = dataclasses.replace(
    TINY,
    image_shape=(10, 10, 1),
    objective=Relativistic(),
    generator=DCGANGenerator(2, kernel_size=3, initializer=NormalWeights(0.3)),
    discriminator=DCGANDiscriminator(2, kernel_size=3, initializer=NormalWeights(0.3)),
    discriminator_steps=1,
    discrimination=Discrimination(joint=True),
)


@pytest.mark.parametrize("wrap", [parallel.shard_map, pytest.param(parallel.pmap, marks=pytest.mark.exhaustive)])
def test_joint_statistics_and_mean_scores_are_those_of_the_whole_batch_on_any_devices(wrap):
    """Radford's networks, real and fake examples normalised together, and a loss of the mean scores."""
    config = contract.with_sgd(CONVOLUTIONAL, 0.1)
    batch = np.random.default_rng(0).integers(0, 256, (8, 10, 10, 1), np.uint8)
    one, many = parallel.jit(gan.update, config, devices=jax.devices()[:1]), wrap(gan.update, config)
    wanted, found = (step(TestContract.init(config), batch, jax.random.key(1)) for step in (one, many))
    before = jax.device_get(TestContract.init(config))
    wanted, found = jax.device_get((wanted, found))
    for (path, old), new, other in zip(
        contract.leaves(before).items(), *(contract.leaves(state).values() for state, _ in (wanted, found)), strict=True
    ):
        np.testing.assert_allclose(other, new, atol=1e-5, err_msg=path)
        if "bias" not in path and "momentum" not in path:
            assert np.abs(new - old).max() > 1e-5, path
    for name, value in wanted[1].items():
        np.testing.assert_allclose(found[1][name], value, atol=1e-4, err_msg=name)


def by_hand(config, state, batch, key):
    """D's variables, G's and the lengths of D's gradients after an iteration of three steps."""
    key_latents, key_pass, key_generator, key_generator_pass = jax.random.split(key, 4)
    latents, mode = config.prior.draw(key_latents, 12), training(key_pass, 12)
    discriminator, lengths = state.discriminator.variables, []
    for step in range(3):
        part = mode.with_keys(mode.keys[step::3])
        fake, _ = gan.generate(config, state.generator.variables, latents[step::3], mode=part)
        discriminator, _, length = stepped(
            discriminator,
            functools.partial(gan.discriminator_loss, config),
            0.05,
            batch[step::3],
            fake,
            part,
        )
        lengths.append(length)
    inputs = discriminator, batch[2::3], config.prior.draw(key_generator, 4), training(key_generator_pass, 4)
    generator, *_ = stepped(state.generator.variables, functools.partial(gan.generator_loss, config), 0.05, *inputs)
    return discriminator, generator, jnp.stack(lengths)


@pytest.mark.parametrize(
    "config", [dataclasses.replace(TINY, discriminator_steps=3), NORMALIZED], ids=["TINY", "batch"]
)
def test_update_is_algorithm_1_done_by_hand(config):
    """k discriminator steps on interleaved minibatches with the generator fixed, then one generator step.

    The discriminator's running statistics are those of all its minibatches, in their order; the generator's own step
    alone moves its statistics.
    """
    config = contract.with_sgd(config, 0.05)
    state = TestContract.init(config)
    found, metrics = compiled(gan.update, config)(state, REAL, jax.random.key(2))
    *wanted, lengths = compiled(by_hand, config)(state, REAL, jax.random.key(2))
    assert_close([found.discriminator.variables, found.generator.variables], wanted)
    assert metrics["gradient_norm/discriminator"] == pytest.approx(float(lengths.mean()), rel=1e-4)
    names = {"real_certainty", "fake_certainty", "diversity", "gradient_norm/generator", "generator_loss"}
    assert set(metrics) >= names


def test_running_statistics_of_the_discriminator_are_those_of_each_minibatch_in_turn():
    """Weights that do not move, and a first layer whose inputs' means are known: real, then fake, three times."""
    config = contract.with_sgd(NORMALIZED, 1e-30)
    state, key = TestContract.init(config), jax.random.key(2)
    found, _ = compiled(gan.update, config)(state, REAL, key)
    latents = config.prior.draw(jax.random.split(key, 4)[0], 12)
    layer, mean = jax.device_get(state.discriminator.params["Dense_0"]), np.zeros(4)
    for step in range(3):
        fake, _ = gan.generate(config, state.generator.variables, latents[step::3], mode=training(key, 4))
        for images in (REAL[step::3], fake):
            mean = 0.9 * mean + 0.1 * (np.asarray(images).reshape(4, -1) @ layer["kernel"] + layer["bias"]).mean(0)
    after = found.discriminator.collections["batch_stats"]["BatchNorm_0"]["mean"]
    np.testing.assert_allclose(after, mean, atol=1e-5)


@pytest.mark.parametrize("objective", [NonSaturating(), LeastSquares(), Hinge(), Relativistic()], ids=str)
def test_losses_are_the_objectives_means_over_the_batch(objective):
    config = dataclasses.replace(TINY, objective=objective, discrimination=UNTRICKED, discriminator=MLP((4,)))
    state, real, mode = TestContract.init(config), REAL[:6], training(jax.random.key(3), 6)
    latents = config.prior.draw(jax.random.key(2), 6)
    fake, _ = gan.generate(config, state.generator.variables, latents, mode=mode)
    real_scores, fake_scores = (gan.discriminate(config, state, images) for images in (real, fake))
    loss, (metrics, _) = gan.discriminator_loss(config, state.discriminator.variables, real, fake, mode)
    assert loss == metrics["discriminator_loss"]
    assert loss == pytest.approx(float(objective.discriminator(real_scores, fake_scores).mean()), rel=1e-5)
    inputs = state.discriminator.variables, real, latents, mode
    loss, _ = gan.generator_loss(config, state.generator.variables, *inputs)
    assert loss == pytest.approx(float(objective.generator(real_scores, fake_scores).mean()), rel=1e-5)


def test_the_discriminators_certainty_does_not_see_flipped_labels():
    """A linear discriminator that is sure of everything: half of its labels flipped cost it 160 each."""
    config = dataclasses.replace(TINY, objective=NonSaturating(), discriminator=MLP(()))
    variables = {"params": {"Dense_0": {"kernel": jnp.full((16, 1), 10.0), "bias": jnp.full(1, -80.0)}}}
    real, fake, mode = jnp.ones((64, 4, 4, 1)), jnp.zeros((64, 4, 4, 1)), training(jax.random.key(0), 64)
    flipped = dataclasses.replace(config, discrimination=Discrimination(flip=0.5))
    loss, (metrics, _) = gan.discriminator_loss(flipped, variables, real, fake, mode)
    assert metrics["real_certainty"] == metrics["fake_certainty"] == 1.0
    assert 160 * 0.25 < loss < 160 * 0.75  # four deviations of a share of 64 halves
    assert (loss / 160 * 64) == pytest.approx(round(float(loss / 160 * 64)), rel=1e-5)
    plain = dataclasses.replace(config, discrimination=UNTRICKED)
    assert gan.discriminator_loss(plain, variables, real, fake, mode)[0] == pytest.approx(0.0, abs=1e-5)


DROPPED = dataclasses.replace(TINY, generator=Maxout((4,), 2, 0.0, 0.5, UniformWeights(0.5)))


def test_masks_of_the_generators_dropout_belong_to_examples_and_keys():
    state, latents = TestContract.init(DROPPED), jnp.ones((6, 3))
    generate = functools.partial(gan.generate, DROPPED, state.generator.variables, latents)
    images, again, others = (generate(mode=training(jax.random.key(seed), 6))[0] for seed in (0, 0, 1))
    assert len(np.unique(images.reshape(6, -1), axis=0)) > 1  # equal latents, other masks
    np.testing.assert_array_equal(images, again)
    assert (images != others).any()
    calm, _ = generate()
    assert len(np.unique(calm.reshape(6, -1), axis=0)) == 1


def test_dropout_without_keys_is_refused_in_training():
    state, latents = TestContract.init(DROPPED), jnp.ones((6, 3))
    with pytest.raises(ValueError, match="dropout draws random numbers in training, but this pass has no keys"):
        gan.generate(DROPPED, state.generator.variables, latents, mode=training(jax.random.key(0), 6).with_keys(None))


def test_the_defaults_are_goodfellows():
    config = gan.Config()
    state = jax.eval_shape(lambda: gan.init(config, jax.random.key(0)))
    assert (count(state.generator.params), count(state.discriminator.params)) == (2_503_984, 1_231_441)
    assert (config.image_shape, config.value_range) == ((28, 28, 1), (0.0, 1.0))
    assert config.prior == Uniform(100, 3**0.5) and config.discriminator_steps == 1
    assert config.generator == MLP((1200, 1200), initializer=UniformWeights(0.05))
    assert config.discriminator == Maxout() and config.objective == NonSaturating()
    assert config.discrimination == Discrimination() and config.average == NoAverage()
    for optimizer, rate in ((config.generator_optimizer, 0.1), (config.discriminator_optimizer, 0.05)):
        assert optimizer == Optimizer(rate, SGD(momentum=0.5), schedule=InverseTime(4e-6))


@pytest.mark.parametrize(("setting", "value"), [("discriminator_steps", 0), ("value_range", (0.0, 2.0))])
def test_settings_out_of_range_are_refused(setting, value):
    with pytest.raises(ValueError, match=f"{setting} is .*, but must be"):
        dataclasses.replace(TINY, prior=Normal(2), **{setting: value})
