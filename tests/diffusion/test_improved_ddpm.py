import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from jaxgen.diffusion import improved_ddpm
from jaxgen.diffusion.denoising import Examples, denoise
from jaxgen.diffusion.guidance import ClassifierFree
from jaxgen.diffusion.predictions import Prediction, corrupt
from jaxgen.diffusion.samplers import Ancestral
from jaxgen.diffusion.schedules import CosineBetas
from jaxgen.mode import Mode
from jaxgen.moving_averages import Constant
from jaxgen.optimizers import Adam, Optimizer
from tests import contract
from tests.diffusion.networks import BEFORE_BATCH_NORM, Tiny

TINY = improved_ddpm.Config(
    image_shape=(4, 4, 1),
    num_classes=3,
    denoiser=Tiny(),
    schedule=CosineBetas(10),
    sampler=Ancestral(4, "learned"),
    guidance=ClassifierFree(2.0, 0.01, 30.0),
    optimizer=Optimizer(1e-3, Adam()),
    average=Constant(0.5),
)


class TestContract(contract.Suite):
    case = contract.Case(improved_ddpm, TINY, unreached=BEFORE_BATCH_NORM)


BOUND = dataclasses.replace(TINY, objective=improved_ddpm.Bound(), denoiser=Tiny(norm="none"))


class TestBoundContract(contract.Suite):
    case = contract.Case(improved_ddpm, BOUND)


def examples_of(num=6):
    data = jax.random.uniform(jax.random.key(1), (num, 4, 4, 1), minval=-1.0, maxval=1.0)
    times = jnp.arange(num, dtype=jnp.float32) % 10
    return Examples(data, jax.random.normal(jax.random.key(2), data.shape), times, jnp.eye(3)[jnp.arange(num) % 3])


def test_the_bound_moves_the_variance_alone():
    """In L_hybrid the gradient of L_vlb with respect to the predicted noise is exactly 0."""
    state, examples = TestContract.init(), examples_of()
    noisy = corrupt(TINY.schedule.level(examples.times), examples.data, examples.noise)
    prediction, _ = denoise(TINY, state.denoiser.variables, noisy, examples.times, examples.classes)

    def bound(value, variance):
        held = Prediction(jax.lax.stop_gradient(value), TINY.prediction, variance)
        return improved_ddpm.bound_of(TINY, examples, held, noisy).sum()

    by_value, by_variance = jax.grad(bound, (0, 1))(prediction.value, prediction.variance)
    assert not by_value.any()
    assert (np.abs(by_variance) > 0).any()


def test_hybrid_loss_is_equation_16_of_its_metrics():
    state, examples = TestContract.init(), examples_of()
    mode = Mode(keys=jax.random.split(jax.random.key(0), 6), step=jnp.int32(0), train=True)
    loss, (metrics, _) = improved_ddpm.hybrid_loss(TINY, state.denoiser.variables, examples, 0.3, mode)
    np.testing.assert_allclose(loss, metrics["simple"] + 0.3 * metrics["bound"], rtol=1e-6)
    again, _ = improved_ddpm.hybrid_loss(TINY, state.denoiser.variables, examples, 0.0, mode)
    np.testing.assert_allclose(again, metrics["simple"], rtol=1e-6)


def test_the_bound_is_least_for_the_variance_of_the_posterior_where_the_mean_is_exact():
    """With x_0 itself as the estimate the divergence of t > 0 is 0 at v = 0."""
    examples = examples_of(9)._replace(times=jnp.arange(1.0, 10.0), classes=None)
    noisy = corrupt(TINY.schedule.level(examples.times), examples.data, examples.noise)
    exact = [Prediction(examples.noise, TINY.prediction, jnp.full_like(noisy, v)) for v in (0.0, 0.5, 1.0)]
    least, middle, most = (improved_ddpm.bound_of(TINY, examples, each, noisy) for each in exact)
    np.testing.assert_allclose(least, 0.0, atol=1e-5)
    assert (most[:-1] > middle[:-1]).all() and (middle[1:] > least[1:]).all()


def test_the_state_keeps_the_terms_of_the_whole_batch():
    batch, key = jax.tree.map(jnp.asarray, TestBoundContract.batches(1)[0]), jax.random.key(0)
    state, metrics = jax.jit(lambda state: improved_ddpm.update(BOUND, state, batch, key))(
        TestBoundContract.init(BOUND)
    )
    assert int(state.history.counts.sum()) == 8
    assert set(metrics) == {"loss"}
