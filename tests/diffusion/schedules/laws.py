"""What holds for every schedule."""

import jax
import jax.numpy as jnp
import numpy as np


def times_of(schedule, num=41):
    """From the noisiest time to the least noisy one, both included."""
    return np.linspace(schedule.start, schedule.end, num)


def log_snrs(schedule, times):
    """Minus infinity where only noise is left."""
    with np.errstate(divide="ignore"):
        return np.asarray(schedule.log_snr(times))


def require_monotone(schedule):
    """log SNR falls with time, and agrees with the level."""
    times = times_of(schedule)
    level, found = schedule.level(times), log_snrs(schedule, times)
    assert (np.diff(found) > 0).all()
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(2 * np.log(level.alpha) - 2 * np.log(level.sigma), found, atol=1e-6)


def require_inverse(schedule, tolerance):
    """`time` undoes `log_snr` at every time, in float64 exactly and in float32 up to `tolerance` of the time."""
    times = times_of(schedule)
    found = schedule.time(log_snrs(schedule, times))
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, times, rtol=1e-9, atol=1e-9)
    single = jnp.asarray(times, jnp.float32)
    back = schedule.time(schedule.log_snr(single))
    assert isinstance(back, jax.Array) and back.dtype == jnp.float32
    np.testing.assert_allclose(back, times, rtol=tolerance, atol=tolerance * (schedule.start - schedule.data))


def require_single_precision(schedule):
    """Levels of JAX arrays are those of NumPy, in float32; one time for all gives one level."""
    times = times_of(schedule)
    exact, single = schedule.level(times), schedule.level(jnp.asarray(times, jnp.float32))
    for name, tight, loose in zip(exact._fields, exact, single, strict=True):
        assert loose.dtype == jnp.float32 and loose.shape == times.shape, name
        np.testing.assert_allclose(loose, tight, rtol=2e-5, atol=3e-7, err_msg=name)
    one = schedule.level(np.float64(schedule.end))
    np.testing.assert_allclose(one, [part[-1] for part in np.broadcast_arrays(*exact)], rtol=1e-12)
    label, wanted = schedule.label(jnp.asarray(times, jnp.float32)), schedule.label(times)
    np.testing.assert_allclose(label, wanted, rtol=1e-5, atol=1e-5)
