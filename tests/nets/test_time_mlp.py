import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.time_mlp import TimeMLP
from jaxgen.nets.unet.condition import Condition
from jaxgen.nets.unet.embeddings import Fourier, TimeEmbedding
from tests.nets.parameters import count, zeros
from tests.nets.unet.networks import CLASSES, TIMES, init

POINTS = jax.random.normal(jax.random.key(0), (3, 2))


def test_the_network_is_its_formula():
    net = TimeMLP(8, 2, Fourier(2.0), 4)
    variables = init(net, POINTS, TIMES, CLASSES, (2,))
    params = variables["params"]

    def dense(name, inputs):
        return inputs @ params[name]["kernel"] + params[name]["bias"][None]

    embedding = TimeEmbedding(Fourier(2.0), 4, 8).apply({"params": params["time"]}, TIMES, CLASSES)
    hidden = dense("inputs", POINTS)
    for i in range(2):
        inner = dense(f"first_{i}", jax.nn.swish(hidden)) + dense(f"time_{i}", embedding)
        hidden = hidden + dense(f"second_{i}", jax.nn.swish(inner))
    wanted = dense("outputs", jax.nn.swish(hidden))
    np.testing.assert_allclose(net.apply(variables, POINTS, TIMES, CLASSES, (2,)), wanted, atol=1e-4)


def test_parameters_by_default():
    """Inputs 384, time 8,320 + 16,512, blocks 3 x 49,536, outputs 258."""
    assert count(TimeMLP(), zeros(2), jnp.zeros(1), None, (2,)) == 174_082


@pytest.mark.parametrize(
    ("net", "condition", "message"),
    [
        (TimeMLP(0), None, "width is 0, but must be at least 1"),
        (TimeMLP(blocks=0), None, "blocks is 0, but must be at least 1"),
        (TimeMLP(), Condition(augmentation=zeros(9)), "not told how an image was augmented"),
    ],
)
def test_bad_settings_are_refused(net, condition, message):
    with pytest.raises(ValueError, match=message):
        count(net, zeros(2), jnp.zeros(1), condition, (2,))


def test_one_unit_is_enough_and_a_span_is_embedded_beside_the_time():
    """Two dense layers more, of 4 to 8 and 8 to 8 numbers; a span of another length gives other outputs."""
    assert count(TimeMLP(1), zeros(2), jnp.zeros(1), None, (2,)) > 0
    net, span = TimeMLP(8, 2, num_features=4), jnp.array([0.5, 0.5, 2.0])
    plain = count(net, zeros(2), jnp.zeros(1), None, (2,))
    told = count(net, zeros(2), jnp.zeros(1), Condition(span=jnp.zeros(1)), (2,))
    assert told - plain == 4 * 8 + 8 + 8 * 8 + 8
    variables = init(net, POINTS, TIMES, Condition(span=span), (2,))
    outputs = [net.apply(variables, POINTS, TIMES, Condition(span=each), (2,)) for each in (span, span.at[1].set(3.0))]
    changed = np.abs(outputs[0] - outputs[1]).max(1) > 1e-4
    assert changed.tolist() == [False, True, False]
