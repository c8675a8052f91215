import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.gans import discrimination
from jaxgen.gans.discrimination import Discrimination, InstanceNoise
from jaxgen.nets.mlp import MLP

NET = MLP((4,), norm="batch")
REAL, FAKE = jax.random.normal(jax.random.key(0), (2, 8, 3)) + jnp.array([0.0, 2.0])[:, None, None]
STEP = jnp.int32(0)


def variables(net=NET):
    made = dict(net.init(jax.random.key(1), REAL, ()))
    return made.pop("params"), made


def chance(view, net=NET, num=8, step=STEP, axis_name=None):
    return discrimination.chance(view, net, jax.random.key(2), num, (3,), step, axis_name)


def test_by_default_nothing_is_drawn():
    assert all(part is None for part in chance(Discrimination()))


def normalized(net, params, images):
    """The network, its statistics those of `images`."""
    return net.apply({"params": params, **variables()[1]}, images, (), train=True, mutable=["batch_stats"])[0]


@pytest.mark.parametrize("joint", [False, True])
def test_batch_statistics_are_of_one_batch_or_of_two(joint):
    view, (params, collections) = Discrimination(joint=joint), variables()
    (real, fake), after = discrimination.score_pairs(view, NET, params, collections, REAL, FAKE, chance(view))
    both = normalized(NET, params, jnp.concatenate([REAL, FAKE]))
    apart = jnp.concatenate([normalized(NET, params, REAL), normalized(NET, params, FAKE)])
    found, wanted, other = jnp.concatenate([real, fake]), *((both, apart) if joint else (apart, both))
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    assert np.abs(found - other).max() > 0.1
    means = [np.asarray(tree["batch_stats"]["BatchNorm_0"]["mean"]) for tree in (collections, after)]
    hidden = [np.asarray(x @ params["Dense_0"]["kernel"]).mean(0) for x in (REAL, FAKE)]
    steps = [sum(hidden) / 2] if joint else hidden  # two batches move the running means twice, the real one first
    for mean in steps:
        means[0] = 0.9 * means[0] + 0.1 * mean
    np.testing.assert_allclose(means[1], means[0], atol=1e-5)


def test_flipped_pairs_exchange_their_scores():
    flipped = jnp.array([True, False])
    real, fake = discrimination.flip(flipped, jnp.array([1.0, 2.0]), jnp.array([3.0, 4.0]))
    assert real.tolist() == [3.0, 2.0] and fake.tolist() == [1.0, 4.0]
    drawn = chance(Discrimination(flip=0.25), num=4_000).flipped
    assert drawn.mean() == pytest.approx(0.25, abs=4 * np.sqrt(0.25 * 0.75 / 4_000))


@pytest.mark.parametrize(("end", "step", "wanted"), [(0, 500, 0.4), (100, 0, 0.4), (100, 75, 0.1), (100, 200, 0.0)])
def test_instance_noise_falls_on_a_line(end, step, wanted):
    noise = InstanceNoise(0.4, end)
    assert noise.at(jnp.int32(step)) == pytest.approx(wanted, abs=1e-6)
    drawn = chance(Discrimination(noise=noise), num=2_000, step=jnp.int32(step))
    for array in (drawn.real_noise, drawn.fake_noise):
        assert array.shape == (2_000, 3)
        assert array.std() == pytest.approx(wanted, rel=4 / np.sqrt(2 * 6_000))
    assert (end == 100 and step == 200) or not np.array_equal(drawn.real_noise, drawn.fake_noise)


def test_noise_is_added_to_what_the_discriminator_sees():
    view, net = Discrimination(noise=InstanceNoise(0.5)), MLP((4,))
    params, collections = variables(net)
    luck = chance(view, net)
    (real, fake), _ = discrimination.score_pairs(view, net, params, collections, REAL, FAKE, luck)
    np.testing.assert_allclose(real, net.apply({"params": params}, REAL + luck.real_noise, ()), atol=1e-6)
    np.testing.assert_allclose(fake, net.apply({"params": params}, FAKE + luck.fake_noise, ()), atol=1e-6)


class Dropped(nn.Module):
    """Gives back the bits of its keys."""

    rate: float = 0.5

    @property
    def drops(self):
        return self.rate > 0

    @nn.compact
    def __call__(self, images, output_shape, *, train=False, axis_name=None, keys=None):
        return jax.vmap(jax.random.uniform)(keys)


def test_a_network_that_drops_has_a_key_for_each_example():
    view = Discrimination(joint=True)
    luck = chance(view, Dropped())
    scores, _ = discrimination.score_pairs(view, Dropped(), {}, {}, REAL, FAKE, luck)
    assert len(np.unique(np.concatenate(scores))) == 16
    np.testing.assert_array_equal(scores[1], jax.vmap(jax.random.uniform)(luck.fake_keys))
    assert chance(view, Dropped(0.0)).real_keys is None


def test_chance_is_the_same_however_many_devices_share_the_batch():
    view = Discrimination(flip=0.5, noise=InstanceNoise(1.0))
    whole = chance(view)
    shares = jax.vmap(lambda _: chance(view, num=2, axis_name="i"), axis_name="i")(np.zeros(4))
    for one, many in zip(jax.tree.leaves(whole), jax.tree.leaves(shares), strict=True):
        np.testing.assert_array_equal(many.reshape(one.shape), one)


def test_settings_out_of_range_are_refused():
    for make in (
        functools.partial(Discrimination, flip=0.6),
        functools.partial(InstanceNoise, std=-1.0),
        functools.partial(InstanceNoise, end=-1),
    ):
        with pytest.raises(ValueError, match="but must be"):
            make()
