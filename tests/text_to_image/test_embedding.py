"""The frozen encoder of models of texts."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.text_to_image import embedding
from jaxgen.train_state import players
from tests.text_to_image.words import Letters, captions

CONFIG = embedding.TextDefaults(caption_length=6, text_features=3, encoder=Letters())


def test_an_embedding_is_what_the_encoder_makes_of_a_caption_and_none_is_the_empty_one():
    encoder = embedding.create_encoder(CONFIG, jax.random.key(0))
    assert encoder.name == "encoder" and not players(encoder)
    texts = captions("red", "blue", length=6)
    found = embedding.embed(CONFIG, encoder, texts)
    np.testing.assert_array_equal(found, Letters().apply(encoder.variables, texts, (3,)))
    empty = embedding.embed(CONFIG, encoder, None, 4)
    assert empty.shape == (4, 3)
    np.testing.assert_array_equal(empty, embedding.embed(CONFIG, encoder, jnp.zeros((4, 6), jnp.uint8)))


def test_captions_of_another_length_are_refused():
    encoder = embedding.create_encoder(CONFIG, jax.random.key(0))
    with pytest.raises(ValueError, match="bytes of a caption is 5, but must be 6, as caption_length says"):
        embedding.embed(CONFIG, encoder, captions("red", length=5))
