import jax.numpy as jnp
import numpy as np

from jaxgen.nets.text.context import dropped, mask_of

CAPTIONS = jnp.array([[97, 98, 0, 0], [0, 0, 0, 0], [97, 98, 99, 100]], jnp.uint8)


def test_the_mask_is_true_up_to_the_last_byte_and_for_one_token_of_the_empty_caption():
    np.testing.assert_array_equal(mask_of(CAPTIONS).sum(1), [2, 1, 4])
    assert mask_of(CAPTIONS)[:, 0].all()


def test_dropped_captions_are_the_empty_one_and_the_others_do_not_change():
    found = dropped(CAPTIONS, jnp.array([True, True, False]))
    assert found.dtype == jnp.uint8
    np.testing.assert_array_equal(found[:2], CAPTIONS[:2])
    assert not found[2].any()
