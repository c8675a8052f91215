"""Path lengths: exact for linear generators."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxgen.losses import path_length

RNG = np.random.default_rng(0)
JACOBIAN = jnp.array(RNG.normal(size=(5, 24)), jnp.float32)  # images of 4 x 3 pixels, 2 channels


def generator(latents):
    return (latents @ JACOBIAN).reshape(-1, 4, 3, 2)


def test_squared_lengths_average_to_the_norm_of_the_jacobian_over_the_pixels():
    # E |J^T y|^2 for y ~ N(0, I) / sqrt(H W) is |J|_F^2 / (H W): exact when y runs through a basis.
    noise = jnp.eye(24).reshape(24, 4, 3, 2)
    lengths = path_length.path_lengths(generator, jnp.ones((24, 5)), noise)
    np.testing.assert_allclose((lengths**2).sum(), (JACOBIAN**2).sum() / 12, rtol=1e-5)


def test_length_of_each_example_comes_from_its_own_noise():
    noise = RNG.normal(size=(3, 4, 3, 2))
    lengths = path_length.path_lengths(generator, jnp.zeros((3, 5)), jnp.array(noise, jnp.float32))
    expected = np.linalg.norm(noise.reshape(3, 24) @ JACOBIAN.T, axis=1) / np.sqrt(12)
    np.testing.assert_allclose(lengths, expected, rtol=1e-5)


def test_layers_share_the_length_as_a_root_mean_square():
    latents = jnp.ones((2, 3, 5))
    noise = jnp.array(RNG.normal(size=(2, 4, 3, 2)), jnp.float32)

    def layered(latents):  # layer k counts k + 1 times
        return generator((latents * jnp.arange(1.0, 4.0)[None, :, None]).sum(axis=1))

    once = path_length.path_lengths(generator, latents[:, 0], noise)
    lengths = path_length.path_lengths(layered, latents, noise)
    np.testing.assert_allclose(lengths, once * np.sqrt((1 + 4 + 9) / 3), rtol=1e-5)


def test_lengths_in_half_precision_are_finite_and_near():
    noise = jnp.array(RNG.normal(size=(2, 4, 3, 2)), jnp.float32)
    exact = path_length.path_lengths(generator, jnp.ones((2, 5)), noise)

    def half(latents):
        return generator(latents.astype(jnp.float32)).astype(jnp.bfloat16)

    lengths = path_length.path_lengths(half, jnp.ones((2, 5), jnp.bfloat16), noise)
    assert lengths.dtype == jnp.float32
    np.testing.assert_allclose(lengths, exact, rtol=0.02)


def test_penalty_is_the_squared_distance_from_the_average():
    penalty = path_length.path_length_penalty(jnp.array([3.0, 1.0, 0.5]), 1.5)
    np.testing.assert_allclose(penalty, [2.25, 0.25, 1.0])


def test_average_is_held_constant():
    def total(lengths, average):
        return path_length.path_length_penalty(lengths, average).sum()

    of_lengths, of_average = jax.grad(total, (0, 1))(jnp.array([3.0]), jnp.float32(1.0))
    np.testing.assert_allclose(of_lengths, [4.0])
    np.testing.assert_array_equal(of_average, 0.0)
