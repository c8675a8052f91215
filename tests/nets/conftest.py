import jaxtyping
import pytest


@pytest.fixture
def unchecked_shapes():
    """Callers have the library's errors alone, without the shape checks of the tests."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)
