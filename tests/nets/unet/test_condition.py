import jax.numpy as jnp
import pytest

from jaxgen.nets.unet.condition import Condition, as_condition, classes_and_span, only_classes

ROWS = jnp.eye(3)


def test_an_array_is_that_of_the_classes():
    assert as_condition(ROWS).classes is ROWS and as_condition(ROWS).augmentation is None
    whole = Condition(ROWS, jnp.zeros((3, 9)))
    assert as_condition(whole) is whole
    assert classes_and_span(Condition(ROWS, span=jnp.ones(3)))[0] is ROWS
    assert only_classes(None) is None and only_classes(ROWS) is ROWS and only_classes(Condition(ROWS)) is ROWS


def test_a_condition_on_the_augmentation_is_refused_where_none_is_taken():
    with pytest.raises(ValueError, match="this network is not told how an image was augmented: use DDPMPlusPlus"):
        only_classes(Condition(ROWS, jnp.zeros((3, 9))))


def test_a_condition_on_a_span_is_refused_where_none_is_taken():
    with pytest.raises(ValueError, match="this network is not told of a span of time: use DiT or TimeMLP"):
        only_classes(Condition(ROWS, span=jnp.ones(3)))
