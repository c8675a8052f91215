import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from jaxgen.batches import Labelled
from jaxgen.diffusion import edm
from jaxgen.diffusion.augmentation import Augmentation
from jaxgen.diffusion.denoising import Examples
from jaxgen.diffusion.guidance import ClassifierFree, NoGuidance
from jaxgen.diffusion.samplers import Churn, Heun
from jaxgen.diffusion.schedules import Sigmas
from jaxgen.mode import EVALUATION
from jaxgen.moving_averages import HalfLife, PowerFunction
from jaxgen.nets.unet.edm2 import EDM2UNet
from jaxgen.optimizers import Adam, Optimizer
from tests import contract
from tests.diffusion.networks import BEFORE_BATCH_NORM, Tiny

TINY = edm.Config(
    image_shape=(4, 4, 1),
    num_classes=3,
    denoiser=Tiny(),
    schedule=Sigmas(0.02, 20.0),
    sampler=Heun(3, churn=Churn(1.0, 2.0, 30.0, 1.01)),
    guidance=ClassifierFree(2.0, 0.01, 30.0),
    optimizer=Optimizer(1e-3, Adam()),
    augmentation=Augmentation(0.5),
    average=HalfLife(2.0),
)


class TestContract(contract.Suite):
    case = contract.Case(edm, TINY, unreached=BEFORE_BATCH_NORM)


def test_without_augmentation_the_network_is_told_of_none():
    """Its parameters are those of a network without the nine inputs."""
    plain = dataclasses.replace(TINY, augmentation=Augmentation())
    shapes = [jax.eval_shape(lambda c=c: edm.init(c, jax.random.key(0))).denoiser.params for c in (TINY, plain)]
    first = [each["MLP_0"]["Dense_0"]["kernel"].shape[0] for each in shapes]
    assert first[0] == first[1] + 9


def test_the_loss_is_the_unweighted_error_of_f():
    """lambda c_out^2 = 1: equation 8 written out, with targets (y - c_skip (y + n)) / c_out."""
    plain = dataclasses.replace(TINY, augmentation=Augmentation(), num_classes=0, guidance=NoGuidance())
    state, y = TestContract.init(plain), jax.random.uniform(jax.random.key(0), (5, 4, 4, 1), minval=-1.0)
    sigma, noise = jnp.array([0.05, 0.3, 1.0, 5.0, 15.0]), jax.random.normal(jax.random.key(1), y.shape)
    examples = Examples(y, noise, sigma, None)
    loss, _ = edm.denoiser_loss(plain, state.denoiser.variables, examples, EVALUATION)
    s = sigma[:, None, None, None]
    x, length = y + s * noise, jnp.sqrt(s**2 + 0.25)
    f = plain.denoiser.apply(state.denoiser.variables, x / length, jnp.log(sigma) / 4, None, (4, 4, 1))
    target = (y - 0.25 / length**2 * x) / (0.5 * s / length)
    np.testing.assert_allclose(loss, ((f - target) ** 2).mean(), rtol=1e-4)


SURE = dataclasses.replace(TINY, uncertainty=8, num_classes=0, guidance=NoGuidance(), augmentation=Augmentation())
"""EDM2's loss."""

UNREACHED = ("['denoiser']['denoiser']['MLP_0']['Dense_0']['bias']",)


class TestContractOfUncertainty(contract.Suite):
    case = contract.Case(edm, SURE, unreached=UNREACHED, inert=("class_dropout",))


def drawn(num=64):
    """The same image with other noise at two levels in turn."""
    noise = jax.random.normal(jax.random.key(1), (num, 4, 4, 1))
    return Examples(jnp.zeros_like(noise), noise, jnp.where(jnp.arange(num) % 2, 5.0, 0.3), None)


def with_kernel(variables, kernel):
    """The variables with other weights of u."""
    params = variables["params"] | {"uncertainty": {"outputs": {"kernel": kernel}}}
    return {**variables, "params": params}


@jax.jit
def loss_and_metrics(variables):
    loss, (metrics, _) = edm.denoiser_loss(SURE, variables, drawn(), EVALUATION)
    return loss, metrics


@jax.jit
def loss_without(variables, examples):
    """Of the same denoiser."""
    own = {name: tree["denoiser"] for name, tree in variables.items()}
    return edm.denoiser_loss(dataclasses.replace(SURE, uncertainty=0), own, examples, EVALUATION)[0]


def test_with_an_uncertainty_of_zero_the_loss_is_that_without():
    variables = TestContractOfUncertainty.init(SURE).denoiser.variables
    loss, metrics = loss_and_metrics(with_kernel(variables, jnp.zeros((8, 1))))
    wanted = loss_without(variables, drawn())
    np.testing.assert_allclose(loss, wanted, rtol=1e-6)
    np.testing.assert_allclose(metrics["weighted_error"], wanted, rtol=1e-6)


def test_the_loss_is_least_where_the_uncertainty_is_the_logarithm_of_the_weighted_error(monkeypatch):
    """Of each level: there it is 1 + u on average, has no slope, and any other u costs more."""
    variables, examples = TestContractOfUncertainty.init(SURE).denoiser.variables, drawn()
    given = jnp.arange(len(examples.times)) % 2

    @jax.jit
    @jax.vmap
    @jax.value_and_grad
    def loss(us):
        monkeypatch.setattr(edm, "uncertainty", lambda *_: us[given])
        return edm.denoiser_loss(SURE, variables, examples, EVALUATION)[0]

    halves = (jax.tree.map(lambda leaf, first=first: leaf[first::2], examples) for first in (0, 1))
    best = jnp.log(jnp.stack([loss_without(variables, half) for half in halves]))
    others = jnp.array([[0.1, 0.0], [-0.1, 0.0], [0.0, 0.1], [0.0, -0.1]])
    found, slopes = loss(jnp.concatenate([best[None], best[None] + others]))
    np.testing.assert_allclose(found[0], 1.0 + best.mean(), rtol=1e-5)
    np.testing.assert_allclose(slopes[0], 0.0, atol=1e-5)
    assert (found[1:] > found[0] + 1e-3).all()


def test_the_uncertainty_depends_on_the_level_alone_and_learns():
    variables = TestContractOfUncertainty.init(SURE).denoiser.variables
    us = edm.uncertainty(SURE, variables, jnp.array([0.3, 5.0, 0.3]))
    assert us[0] == us[2] != us[1]
    loss = jax.jit(jax.value_and_grad(lambda kernel: loss_and_metrics(with_kernel(variables, kernel))[0]))
    kernel = variables["params"]["uncertainty"]["outputs"]["kernel"]
    value, slope = loss(kernel)
    assert loss(kernel - 0.1 * slope)[0] < value


def test_samples_do_not_depend_on_the_uncertainty():
    state = TestContractOfUncertainty.init(SURE)
    other = state.replace(ema=with_kernel(state.ema, jnp.ones((8, 1))))
    draw = jax.jit(lambda state: edm.sample(SURE, state, jax.random.key(0), 2))
    np.testing.assert_array_equal(draw(state), draw(other))


def test_edm2s_network_learns_with_normalized_weights_and_averages_of_two_widths():
    """Fresh it gives zeros whatever its weights, so that the first step moves the gain of the outputs alone."""
    config = dataclasses.replace(
        TINY,
        denoiser=EDM2UNet(8, (1,), 1, (), head_features=8),
        augmentation=Augmentation(),
        optimizer=Optimizer(0.05, Adam(0.9, 0.99), normalized=True),
        average=PowerFunction(0.05, further=(0.1,)),
    )
    images = jax.random.uniform(jax.random.key(1), (16, 4, 4, 1), minval=-1.0)
    batch = Labelled(images, jnp.arange(16) % 3)
    state, step = TestContract.init(config), jax.jit(lambda *given: edm.update(config, *given))

    def normalized(leaf):
        return leaf / jnp.sqrt((leaf**2).mean(range(leaf.ndim - 1), keepdims=True)) if leaf.ndim else leaf

    first, metrics = step(state, batch, jax.random.key(2))
    moved = jax.tree.map(
        lambda a, b: bool(np.abs(a - b).max() > 1e-3),
        jax.tree.map(normalized, state.denoiser.params),
        first.denoiser.params,
    )
    assert moved.pop("gain") and not any(jax.tree.leaves(moved))
    state, losses = first, [metrics["loss"]]
    for number in range(3, 40):
        state, metrics = step(state, batch, jax.random.key(number))
        losses.append(metrics["loss"])
    assert np.mean(losses[-5:]) < np.mean(losses[:5])
