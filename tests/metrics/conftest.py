"""Metrics compile to many tiny programs: their tests keep all of them in the compilation cache."""

import jax
import jaxtyping
import pytest


@pytest.fixture(scope="module", autouse=True)
def tiny_programs_are_cached():
    threshold = jax.config.values["jax_persistent_cache_min_compile_time_secs"]
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    yield
    jax.config.update("jax_persistent_cache_min_compile_time_secs", threshold)


@pytest.fixture
def unchecked_annotations():
    """Users have the ValueErrors of the package alone, without the checked annotations of the tests."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)
