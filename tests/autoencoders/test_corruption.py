import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.autoencoders.corruption import Clean, GaussianNoise, MaskingNoise, SaltAndPepper, corrupt

NUM = 100
IMAGES = jnp.full((NUM, 10, 10), 0.5)
KEYS = jax.random.split(jax.random.key(0), NUM)
ROOM = 4 / np.sqrt(NUM * 100)  # four standard errors of a mean of unit variance


def test_clean_inputs_are_the_images():
    assert corrupt(Clean(), IMAGES, KEYS, (0.0, 1.0)) is IMAGES


def test_gaussian_noise_has_its_mean_and_deviation_and_is_clipped_to_the_range():
    free = corrupt(GaussianNoise(0.3, mean=0.1), IMAGES, KEYS, None) - IMAGES
    assert free.mean() == pytest.approx(0.1, abs=0.3 * ROOM)
    assert free.std() == pytest.approx(0.3, abs=0.3 * ROOM)
    clipped = corrupt(GaussianNoise(0.3, mean=0.1), IMAGES, KEYS, (0.0, 1.0))
    np.testing.assert_array_equal(clipped, np.clip(free + IMAGES, 0, 1))


@pytest.mark.parametrize(("value_range", "low", "high"), [((0.0, 1.0), 0, 1), ((-1.0, 1.0), -1, 1), (None, 0, 1)])
def test_masks_and_salt_and_pepper_change_their_share_of_pixels(value_range, low, high):
    masked = corrupt(MaskingNoise(0.4), IMAGES, KEYS, value_range)
    assert (masked == low).mean() == pytest.approx(0.4, abs=ROOM)
    assert set(np.unique(masked)) == {low, 0.5}
    peppered = corrupt(SaltAndPepper(0.4), IMAGES, KEYS, value_range)
    assert (peppered == low).mean() == pytest.approx(0.2, abs=ROOM)
    assert (peppered == high).mean() == pytest.approx(0.2, abs=ROOM)


@pytest.mark.parametrize("corruption", [GaussianNoise(), MaskingNoise(), SaltAndPepper()])
def test_noise_of_an_image_depends_on_its_key_alone(corruption):
    found = corrupt(corruption, IMAGES, KEYS, (0.0, 1.0))
    np.testing.assert_array_equal(found[5:8], corrupt(corruption, IMAGES[5:8], KEYS[5:8], (0.0, 1.0)))
    assert not np.array_equal(found[0], found[1])


@pytest.mark.parametrize("make", [lambda: GaussianNoise(-1.0), lambda: MaskingNoise(1.5), lambda: SaltAndPepper(-0.5)])
def test_settings_out_of_range_are_refused(make):
    with pytest.raises(ValueError, match="but must be"):
        make()


def test_gaussian_noise_without_deviation_leaves_the_images_as_they_are_bit_for_bit():
    np.testing.assert_array_equal(corrupt(GaussianNoise(0.0), IMAGES, KEYS, None), IMAGES)
    assert (corrupt(GaussianNoise(1e-3), IMAGES, KEYS, None) != IMAGES).any()
