import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from jaxgen.diffusion import guided_ddpm
from jaxgen.diffusion.guidance import ByClassifier
from jaxgen.diffusion.samplers import DDIM
from jaxgen.diffusion.schedules import LinearBetas
from jaxgen.moving_averages import Constant
from jaxgen.optimizers import Adam, Optimizer
from tests import contract
from tests.diffusion.networks import Tiny, TinyClassifier

TINY = guided_ddpm.Config(
    image_shape=(4, 4, 1),
    num_classes=3,
    denoiser=Tiny(),
    classifier=TinyClassifier(),
    schedule=LinearBetas(10),
    sampler=DDIM(3, eta=0.5),
    optimizer=Optimizer(1e-3, Adam()),
    classifier_optimizer=Optimizer(1e-3, Adam()),
    average=Constant(0.5),
)
BEFORE_BATCH_NORM = (
    "['classifier']['MLP_0']['Dense_0']['bias']",
    "['denoiser']['MLP_0']['Dense_0']['bias']",
)


class TestContract(contract.Suite):
    case = contract.Case(guided_ddpm, TINY, unreached=BEFORE_BATCH_NORM)


def test_the_classifier_pulls_samples_towards_their_class():
    """With a larger scale the classifier is surer of the class that was asked for."""
    config = dataclasses.replace(TINY, classifier=TinyClassifier(norm="none"), sampler=DDIM(10))
    state, labels = TestContract.init(config), jnp.arange(64, dtype=jnp.int32) % 3

    def sure(scale):
        guided = dataclasses.replace(config, guidance=ByClassifier(scale))
        images = guided_ddpm.sample(guided, state, jax.random.key(1), 64, labels)
        inputs = images, jnp.zeros(64), (3,)
        logits = config.classifier.apply(state.classifier.variables, *inputs)
        return jax.nn.log_softmax(logits)[jnp.arange(64), labels].mean()

    weak, strong = (jax.jit(sure, static_argnums=0)(scale) for scale in (0.0, 5.0))
    assert strong > weak + 0.01


def test_a_denoiser_without_classes_is_given_none():
    config = dataclasses.replace(TINY, guidance=ByClassifier(0.0, conditional=False))
    state = TestContract.init(config)
    sample = jax.jit(lambda labels: guided_ddpm.sample(config, state, jax.random.key(1), 3, labels))
    np.testing.assert_array_equal(sample(jnp.array([0, 1, 2])), sample(jnp.array([2, 0, 1])))


def test_the_classifier_learns_the_labels_even_where_the_denoiser_is_told_none():
    """Its loss is that of the whole batch, with every class dropped."""
    config = dataclasses.replace(TINY, class_dropout=1.0)
    batch = jax.tree.map(jnp.asarray, TestContract.batches(1)[0])
    update = jax.jit(lambda batch: guided_ddpm.update(config, TestContract.init(config), batch, jax.random.key(0))[1])
    metrics, other = update(batch), update(batch._replace(labels=(batch.labels + 1) % 3))
    np.testing.assert_allclose(metrics["denoiser_loss"], other["denoiser_loss"], rtol=1e-6)
    assert abs(metrics["classifier_loss"] - other["classifier_loss"]) > 1e-4
