"""Two encoders that match images and captions: the losses by hand, equal captions, the scale, and the contract."""

import dataclasses

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen import losses, parallel
from jaxgen.abilities import Matcher
from jaxgen.batches import Captioned
from jaxgen.mode import EVALUATION, Mode
from jaxgen.model import Model
from jaxgen.nets.dropout import dropout
from jaxgen.nets.initializers import Uniform
from jaxgen.nets.mlp import MLP
from jaxgen.nets.text.char_cnn_rnn import CharCNNRNN
from jaxgen.optimizers import SGD, Adam, Optimizer
from jaxgen.testing.probes import embeddings
from jaxgen.text_to_image import caption_encoder
from jaxgen.text_to_image.matching import Contrastive, Structured
from tests import contract
from tests.text_to_image.words import Letters, captions


class Pixels(nn.Module):
    """An encoder of images with dropout and batch statistics."""

    @nn.compact
    def __call__(self, images, output_shape, *, mode=EVALUATION):
        return MLP((6,), norm="batch")(dropout(images, 0.25, mode, 0), output_shape, mode=mode)


TINY = caption_encoder.Config(
    image_shape=(4, 4, 3),
    caption_length=14,
    features=5,
    image_encoder=Pixels(),
    text_encoder=CharCNNRNN((6, 6), (2, 0), 2, 3, width=6, initializer=Uniform(0.5)),
    objective=Contrastive(temperature=0.5),
)
PLAIN = dataclasses.replace(TINY, image_encoder=MLP((8,)), text_encoder=Letters())
TEXTS = captions("a red ring", "a blue dot", "a red ring", "two lines", length=14)
IMAGES = jax.random.uniform(jax.random.key(1), (4, 4, 4, 3), minval=-1.0)
init = jax.jit(caption_encoder.init, static_argnums=0)


class TestContract(contract.Suite):
    """A bias in front of batch normalisation has no gradient."""

    case = contract.Case(caption_encoder, TINY, unreached=("['encoders']['image']['MLP_0']['Dense_0']['bias']",))


def test_it_matches_and_makes_no_images():
    assert isinstance(caption_encoder, Matcher) and not isinstance(caption_encoder, Model)


@pytest.mark.parametrize("objective", [Structured(), Structured(0.5, hardest=True), Contrastive(0.25)])
def test_the_loss_is_that_of_the_embeddings_and_equal_captions_belong_to_the_images_of_both(objective):
    """Images 0 and 2 have one caption: each pair of the two counts in no sum, and finding either is right."""
    config = dataclasses.replace(PLAIN, objective=objective)
    state = init(config, jax.random.key(0))
    variables = state.encoders.variables
    loss, (metrics, _) = caption_encoder.matching_loss(config, variables, IMAGES, TEXTS, Mode())
    vectors, _ = caption_encoder.encode_images(config, variables, IMAGES)
    texts, _ = caption_encoder.encode_captions(config, variables, TEXTS)
    negatives = jnp.array([[0, 1, 0, 1], [1, 0, 1, 1], [0, 1, 0, 1], [1, 1, 1, 0]], bool)
    if isinstance(objective, Contrastive):
        wanted = losses.contrastive_embedding(vectors, texts, 4.0, negatives=negatives)
        np.testing.assert_allclose(metrics["scale"], 4.0, rtol=1e-6)
    else:
        hinges = {"margin": objective.margin, "hardest": objective.hardest, "negatives": negatives}
        wanted = losses.structured_joint_embedding(vectors, texts, **hinges)
    np.testing.assert_allclose(loss, wanted.mean(), rtol=1e-5)
    images, texts = (np.asarray(each) for each in embeddings(caption_encoder, config, state, Captioned(IMAGES, TEXTS)))
    scores = texts @ images.T
    best = [row.argmax() for row in scores]
    np.testing.assert_allclose(metrics["text_to_image"], np.mean([not negatives[i, j] for i, j in enumerate(best)]))


def test_embeddings_are_of_unit_length_where_cosines_are_compared():
    batch = Captioned(IMAGES, TEXTS)
    for objective, unit in ((Contrastive(), True), (Structured(), False)):
        config = dataclasses.replace(PLAIN, objective=objective)
        for vectors in embeddings(caption_encoder, config, init(config, jax.random.key(0)), batch):
            assert vectors.shape == (4, 5) and vectors.dtype == jnp.float32
            assert np.allclose(jnp.linalg.norm(vectors, axis=1), 1.0, atol=1e-5) == unit


def test_the_scale_is_learned_and_no_larger_than_the_largest():
    """It grows where pairs match already, and stops at the bound."""
    optimizer = Optimizer(0.3, SGD())
    config = dataclasses.replace(PLAIN, objective=Contrastive(0.5, largest_scale=2.1), optimizer=optimizer)
    step, state = (
        parallel.jit(caption_encoder.update, config, devices=jax.devices()[:1]),
        init(config, jax.random.key(0)),
    )
    batch, scales = Captioned(IMAGES, TEXTS), []
    for number in range(40):
        state, metrics = step(state, batch, jax.random.key(number))
        scales.append(float(metrics["scale"]))
    np.testing.assert_allclose(scales[0], 2.0, rtol=1e-6)
    assert max(scales) <= 2.1 + 1e-6 and scales[-1] > 2.09
    np.testing.assert_allclose(float(jnp.exp(state.encoders.params["scale"]["log"])), 2.1, rtol=1e-6)


def test_training_finds_the_captions_of_four_images():
    config = dataclasses.replace(PLAIN, objective=Structured(), optimizer=Optimizer(0.03, Adam()))
    step, state = (
        parallel.jit(caption_encoder.update, config, devices=jax.devices()[:1]),
        init(config, jax.random.key(0)),
    )
    for number in range(50):
        state, metrics = step(state, Captioned(IMAGES, TEXTS), jax.random.key(number))
    assert metrics["text_to_image"] == metrics["image_to_text"] == 1.0


def test_captions_of_another_length_are_refused():
    variables = jax.eval_shape(lambda key: caption_encoder.init(TINY, key), jax.random.key(0)).encoders.variables
    given = jax.ShapeDtypeStruct((4, 20), jnp.uint8)
    with pytest.raises(ValueError, match=r"bytes of a caption is 20, but must be 14, as caption_length says"):
        jax.eval_shape(lambda *args: caption_encoder.encode_captions(TINY, *args)[0], variables, given)
