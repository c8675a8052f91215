"""Resampling with any filter beside SciPy's."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.signal

from jaxgen.nets import upfirdn as module
from jaxgen.nets.filters import lowpass, radial_lowpass
from jaxgen.nets.resampling import BINOMIAL, downsample, upsample
from jaxgen.nets.upfirdn import upfirdn

IMAGES = jax.random.normal(jax.random.key(0), (2, 11, 9, 2))
ROW, MATRIX = np.array([0.3, -0.2, 0.5, 0.9]), np.arange(20.0).reshape(4, 5) % 7 - 1
CASES = [(1, 1, (3, 4)), (2, 1, (3, 4)), (4, 1, (-1, -2)), (1, 2, (0, 1)), (1, 3, (-1, 2))]  # up, down, padding


@pytest.fixture(params=["products", "sums"])
def form(request, monkeypatch):
    monkeypatch.setattr(module, "LARGEST_PRODUCT", 128 if request.param == "products" else 0)


def by_scipy(images, taps, up, down, padding):
    """Zeros between, zeros around or a crop, `scipy.signal.correlate2d`, every so many; in float64."""
    taps = np.outer(taps, taps) if taps.ndim == 1 else taps
    batch, height, width, channels = images.shape
    spread = np.zeros((batch, height * up, width * up, channels))
    spread[:, ::up, ::up] = images
    around = [(max(padding[0], 0), max(padding[1], 0))] * 2
    padded = np.pad(spread, [(0, 0), *around, (0, 0)])
    before, behind = max(-padding[0], 0), max(-padding[1], 0)
    padded = padded[:, before : padded.shape[1] - behind, before : padded.shape[2] - behind]
    outputs = [
        [scipy.signal.correlate2d(image[..., channel], taps, mode="valid") for channel in range(channels)]
        for image in padded
    ]
    return np.moveaxis(np.array(outputs), 1, -1)[:, ::down, ::down]


@pytest.mark.exhaustive
@pytest.mark.parametrize("taps", [ROW, MATRIX], ids=["row", "matrix"])
def test_resampling_is_scipys_correlation(form, taps):
    for up, down, padding in CASES:
        found = upfirdn(IMAGES, taps, up=up, down=down, padding=padding)
        wanted = by_scipy(np.asarray(IMAGES, np.float64), taps, up, down, padding)
        np.testing.assert_allclose(
            found, wanted, atol=2e-5 if taps.ndim > 1 else 1e-5, err_msg=f"{up} {down} {padding}"
        )


def test_with_stylegan2s_filter_it_is_the_resampling_by_two(form):
    images, taps = IMAGES[:, :8, :8], np.array(BINOMIAL) / 8
    np.testing.assert_allclose(upfirdn(images, 2 * taps, up=2, padding=(2, 1)), upsample(images), atol=1e-5)
    np.testing.assert_allclose(upfirdn(images, taps, down=2, padding=(1, 1)), downsample(images), atol=1e-5)


def test_gradients_are_the_adjoint(form):
    for up, down in ((2, 1), (1, 2)):
        outputs, pull = jax.vjp(lambda x, up=up, down=down: upfirdn(x, ROW, up=up, down=down, padding=(2, 3)), IMAGES)
        other = jax.random.normal(jax.random.key(1), outputs.shape)
        np.testing.assert_allclose((outputs * other).sum(), (IMAGES * pull(other)[0]).sum(), rtol=1e-4)


def test_a_radial_filter_of_twelve_taps_is_a_sum_of_six_products():
    """A symmetric one has six different rows. A separable one is one product."""
    taps = radial_lowpass(12, 2.0, 6.0, 32.0)
    rows, columns = module._separated(taps)
    assert rows.shape == columns.shape and len(rows) <= 6
    np.testing.assert_allclose(np.einsum("ri,rj->ij", rows, columns), taps, atol=1e-9)
    row = lowpass(12, 2.0, 6.0, 32.0)
    assert len(module._separated(np.outer(row, row))[0]) == 1


def test_the_type_of_the_images_is_kept(form):
    assert upfirdn(IMAGES.astype(jnp.bfloat16), ROW, up=2, padding=(2, 1)).dtype == jnp.bfloat16


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"up": 2, "down": 2}, r"\(up, down\) is \(2, 2\), but must be one of them 1"),
        ({"up": 0}, r"\(up, down\) is \(0, 1\), but must be one of them 1"),
        ({"padding": (-4, -4)}, "padded size is 3, but must be at least 4, the number of taps"),
        ({"taps": np.ones((2, 2, 2))}, r"shape of taps is \(2, 2, 2\), but must be \(n,\) or \(n, m\)"),
    ],
)
def test_impossible_resampling_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        upfirdn(IMAGES, **({"taps": ROW} | settings))
