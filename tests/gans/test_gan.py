import dataclasses
import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen import parallel
from jaxgen.gans import discrimination, gan
from jaxgen.gans.discrimination import Discrimination, InstanceNoise
from jaxgen.gans.objectives import Hinge, LeastSquares, NonSaturating, Relativistic
from jaxgen.nets.dcgan import DCGANDiscriminator, DCGANGenerator
from jaxgen.nets.initializers import Normal as NormalWeights
from jaxgen.nets.initializers import Uniform as UniformWeights
from jaxgen.nets.maxout import Maxout
from jaxgen.nets.mlp import MLP
from jaxgen.nets.spectral import Spectral
from jaxgen.optimizers import SGD, Adam, Optimizer
from jaxgen.priors import Normal, Uniform
from tests import contract

TINY = gan.Config(
    image_shape=(4, 4, 1),
    prior=Uniform(3),
    objective=NonSaturating(smoothing=0.1),
    generator=MLP((8,), norm="batch"),
    discriminator=Maxout((6,), pieces=2, initializer=UniformWeights(0.5)),
    discriminator_steps=2,
    view=Discrimination(flip=0.2, noise=InstanceNoise(0.1, end=10)),
    generator_optimizer=Optimizer(1e-3, Adam(b1=0.5)),
    discriminator_optimizer=Optimizer(1e-3, Adam(b1=0.5)),
    ema_decay=0.15,  # below the warm-up's (1 + t) / (10 + t), so that it shows in the first updates
)


class TestContract(contract.Suite):
    case = contract.Case(
        gan,
        TINY,
        # A constant before batch normalisation is taken out by its mean.
        unreached=("['generator']['Dense_0']['bias']",),
    )


class TestSpectralContract(contract.Suite):
    """SNGAN, its generator normalised as well, batch statistics inside."""

    case = contract.Case(
        gan,
        dataclasses.replace(
            TINY,
            objective=Hinge(),
            generator=Spectral(MLP((8,), norm="batch"), steps=2),
            discriminator=Spectral(MLP((6,), negative_slope=0.2)),
            view=Discrimination(joint=True),
        ),
        unreached=(
            "['discriminator']['inner']['Dense_1']['bias']",  # between the margins all real and fake scores cancel
            "['generator']['inner']['Dense_0']['bias']",  # taken out by batch normalisation
        ),
        inert=("view.noise.end",),  # there is no noise
    )


@pytest.mark.parametrize("wrap", [parallel.jit, parallel.pmap, parallel.shard_map])
def test_accumulated_gradients_are_the_same_on_any_devices(wrap):
    """Two steps of each player in four updates, and none in the first."""
    sgd = Optimizer(0.1, SGD(), accumulate=2)
    config = dataclasses.replace(TINY, generator_optimizer=sgd, discriminator_optimizer=sgd, discriminator_steps=1)
    batches = np.random.default_rng(0).integers(0, 256, (4, 8, 4, 4, 1), np.uint8)
    keys = jax.random.split(jax.random.key(1), 4)
    alone, shared = (parallel.jit(gan.update, config, devices=jax.devices()[:1]), wrap(gan.update, config))
    state, wanted = (jax.jit(functools.partial(gan.init, config))(jax.random.key(0)) for _ in range(2))
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
    view=Discrimination(joint=True),
)


@pytest.mark.parametrize("wrap", [parallel.pmap, parallel.shard_map])
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


@functools.partial(jax.jit, static_argnums=0)
def by_hand(config, state, batch, key):
    """D's weights, G's weights and the lengths of D's gradients after an iteration."""
    keys = jax.random.split(key, 4)
    chance = functools.partial(discrimination.chance, config.view, config.discriminator)
    latents = gan.draw_latents(config, keys[0], 12)
    luck = chance(keys[1], 12, config.image_shape, state.generator.step)
    generator, discriminator = state.generator, state.discriminator
    lengths = []
    for step in range(3):
        fake, _ = gan.generate(config, generator.params, generator.collections, latents[step::3], train=True)
        part = jax.tree.map(lambda leaf, step=step: leaf[step::3], luck)
        grads, _ = jax.grad(lambda p, *args: gan.discriminator_loss(config, p, {}, *args), has_aux=True)(
            discriminator.params, batch[step::3], fake, part
        )
        lengths.append(jnp.sqrt(sum((leaf**2).sum() for leaf in jax.tree.leaves(grads))))
        params = jax.tree.map(lambda p, g: p - 0.05 * g, discriminator.params, grads)
        discriminator = discriminator.replace(params=params)
    luck = chance(keys[3], 4, config.image_shape, state.generator.step)
    inputs = discriminator, batch[2::3], gan.draw_latents(config, keys[2], 4), luck
    grads, _ = jax.grad(lambda p: gan.generator_loss(config, p, generator.collections, *inputs), has_aux=True)(
        generator.params
    )
    params = jax.tree.map(lambda p, g: p - 0.05 * g, generator.params, grads)
    return discriminator.params, params, jnp.stack(lengths)


def test_update_is_algorithm_1_done_by_hand():
    """k discriminator steps on interleaved minibatches with the generator frozen, then one generator step."""
    config = contract.with_sgd(dataclasses.replace(TINY, discriminator_steps=3), 0.05)
    state = TestContract.init(config)
    batch = jax.random.uniform(jax.random.key(1), (12, *config.image_shape))
    found, metrics = jax.jit(functools.partial(gan.update, config))(state, batch, jax.random.key(2))

    *weights, lengths = by_hand(config, state, batch, jax.random.key(2))
    for name, wanted in zip(("discriminator", "generator"), weights, strict=True):
        for path, leaf in contract.leaves(wanted).items():
            np.testing.assert_allclose(
                leaf, contract.leaves(getattr(found, name).params)[path], atol=1e-6, err_msg=path
            )
    assert metrics["gradient_norm/discriminator"] == pytest.approx(float(lengths.mean()), rel=1e-4)
    names = {"real_certainty", "fake_certainty", "diversity", "gradient_norm/generator", "generator_loss"}
    assert set(metrics) >= names


@pytest.mark.parametrize("objective", [NonSaturating(), LeastSquares(), Hinge(), Relativistic()], ids=str)
def test_losses_are_the_objectives_means_over_the_batch(objective):
    config = dataclasses.replace(TINY, objective=objective, view=Discrimination(), discriminator=MLP((4,)))
    state = TestContract.init(config)
    real = jax.random.uniform(jax.random.key(1), (6, *config.image_shape))
    latents = gan.draw_latents(config, jax.random.key(2), 6)
    luck = discrimination.chance(
        config.view, config.discriminator, jax.random.key(3), 6, config.image_shape, jnp.int32(0)
    )
    player = state.generator
    fake, _ = gan.generate(config, player.params, player.collections, latents, train=True)
    real_scores, fake_scores = (gan.judge(config, state, images) for images in (real, fake))
    loss, (metrics, _) = gan.discriminator_loss(config, state.discriminator.params, {}, real, fake, luck)
    assert loss == metrics["discriminator_loss"]
    assert loss == pytest.approx(float(objective.discriminator(real_scores, fake_scores).mean()), rel=1e-5)
    inputs = state.discriminator, real, latents, luck
    loss, _ = gan.generator_loss(config, player.params, player.collections, *inputs)
    assert loss == pytest.approx(float(objective.generator(fake_scores, real_scores).mean()), rel=1e-5)


def test_the_discriminators_certainty_does_not_see_flipped_labels():
    """A linear discriminator that is sure of everything, half of its labels flipped."""
    config = dataclasses.replace(TINY, objective=NonSaturating(), view=Discrimination(flip=0.5), discriminator=MLP(()))
    params = {"Dense_0": {"kernel": jnp.full((16, 1), 10.0), "bias": jnp.full(1, -80.0)}}
    real, fake = jnp.ones((64, 4, 4, 1)), jnp.zeros((64, 4, 4, 1))
    luck = discrimination.chance(config.view, config.discriminator, jax.random.key(0), 64, (4, 4, 1), jnp.int32(0))
    loss, (metrics, _) = gan.discriminator_loss(config, params, {}, real, fake, luck)
    assert metrics["real_certainty"] == metrics["fake_certainty"] == 1.0
    assert loss == pytest.approx(160 * float(luck.flipped.mean()), rel=1e-5)


def test_sampling_without_an_average_is_of_the_generator_itself():
    config = dataclasses.replace(TINY, ema_decay=0.0)
    state = TestContract.init(config)
    new, _ = jax.jit(functools.partial(gan.update, config))(
        state, jnp.zeros((8, *config.image_shape)), jax.random.key(0)
    )
    assert not contract.differs(new.ema, new.generator.variables)


def test_the_defaults_are_goodfellows():
    config = gan.Config()
    state = jax.eval_shape(lambda: gan.init(config, jax.random.key(0)))
    count = lambda tree: sum(leaf.size for leaf in jax.tree.leaves(tree))  # noqa: E731
    assert (count(state.generator.params), count(state.discriminator.params)) == (2_503_984, 1_231_441)
    assert config.prior == Uniform(100, 3**0.5) and config.discriminator_steps == 1
    assert config.view == Discrimination() and config.ema_decay == 0


@pytest.mark.parametrize(("setting", "value"), [("discriminator_steps", 0), ("ema_decay", 1.0)])
def test_settings_out_of_range_are_refused(setting, value):
    with pytest.raises(ValueError, match=f"{setting} is {value}, but must be"):
        dataclasses.replace(TINY, prior=Normal(2), **{setting: value})
