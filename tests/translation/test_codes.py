"""What models with codes of two domains share."""

import jax
import numpy as np

from jaxgen.mode import Mode
from jaxgen.nets.unit import ContentEncoder
from jaxgen.translation import codes
from jaxgen.translation.cycles import Both
from tests.nets.parameters import zeros

MODE = Mode(keys=jax.random.split(jax.random.key(0), 2), train=True)


def test_the_shape_of_a_networks_outputs_is_that_of_one_example():
    assert codes.shape_of(ContentEncoder(channels=2, blocks=0), zeros(8, 16, 1), ()) == (2, 4, 8)


def test_both_domains_are_passed_in_turn_with_keys_of_their_own():
    seen = []

    def network(variables, domain, inputs, mode):
        seen.append((domain, inputs, jax.random.key_data(mode.keys)))
        return inputs.upper(), {**variables, domain: inputs}

    outputs, variables = codes.of_both(network, {}, Both("x", "y"), MODE, codes.FORTH)
    assert outputs == Both("X", "Y") and variables == {"a": "x", "b": "y"}
    assert [each[:2] for each in seen] == [("a", "x"), ("b", "y")]
    assert not np.array_equal(seen[0][2], seen[1][2])


def test_noise_of_both_domains_is_independent_and_of_each_key():
    found = codes.normal_of_both(Both((300,), (300,)), MODE, codes.FIRST_NOISE)
    assert found.a.shape == found.b.shape == (2, 300)
    rows = np.concatenate(found)
    assert np.abs(np.corrcoef(rows) - np.eye(4)).max() < 0.2
    alone = codes.normal(MODE.stream(codes.FIRST_NOISE).keys[1:], (300,))
    np.testing.assert_array_equal(alone[0], found.a[1])
