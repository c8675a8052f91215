from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.convolution import conv
from jaxgen.nets.initializers import Uniform
from jaxgen.nets.text.char_cnn_rnn import CharCNNRNN
from jaxgen.nets.text.characters import one_hot

COCO = CharCNNRNN((384, 512, 512), (3, 3, 0), cell="gru", width=512)


def sizes(net, length, features):
    """Shapes of the parameters by path."""
    captions = jax.ShapeDtypeStruct((1, length), jnp.uint8)
    tree = jax.eval_shape(lambda captions: net.init(jax.random.key(0), captions, (features,)), captions)
    return {jax.tree_util.keystr(path): leaf.shape for path, leaf in jax.tree_util.tree_leaves_with_path(tree)}


def count(found, part=""):
    return sum(int(np.prod(shape)) for path, shape in found.items() if part in path)


def test_parameters_of_the_authors_sizes_are_theirs_to_the_unit():
    """1,419,392 of the convolutions, 131,584 of the recurrent network and 263,168 of the last layer."""
    found = sizes(CharCNNRNN(), 201, 1024)
    assert count(found, "Conv") == 1_419_392
    assert count(found, "Dense_0") + count(found, "Dense_1") == 131_584
    assert count(found, "Dense_2") == 263_168
    assert count(found) == 1_814_144


def test_steps_of_the_recurrent_network():
    assert (CharCNNRNN().steps(201), COCO.steps(201)) == (8, 18)
    assert CharCNNRNN((64, 64), (3, 0)).steps(40) == 9


SMALL = CharCNNRNN((3, 2), (2, 0), kernel_size=3, width=4)  # 12 characters: 10, 4 windows of 3, 2 steps


def captions_of(seed, num, length):
    return jax.random.randint(jax.random.key(seed), (num, length), 97, 123).astype(jnp.uint8)


def initialised(net, captions):
    """The outputs of a fresh network, and its variables."""
    return jax.jit(lambda key, captions: net.init_with_output(key, captions, (5,)))(jax.random.key(0), captions)


def test_the_plain_network_is_its_formula():
    """Against sums over windows and steps in NumPy, with biases that are not zero."""
    captions = captions_of(1, 2, 12)
    outputs, variables = initialised(SMALL, captions)
    params = jax.tree.map(np.asarray, variables["params"])
    hidden = np.asarray(one_hot(captions), np.float64)
    for layer, pooled in ((params["Conv_0"], True), (params["Conv_1"], False)):
        steps = hidden.shape[1] - 2
        windows = np.stack([hidden[:, step : step + 3] for step in range(steps)], axis=1)
        hidden = np.maximum(np.einsum("bskc,kco->bso", windows, layer["kernel"][:, 0]) + layer["bias"], 0)
        if pooled:
            hidden = np.stack([hidden[:, 2 * n : 2 * n + 3].max(axis=1) for n in range(4)], axis=1)
    w, u = params["Dense_0"], params["Dense_1"]
    states = [np.maximum(hidden[:, 0] @ w["kernel"] + w["bias"], 0)]
    for step in range(1, hidden.shape[1]):
        again = states[-1] @ u["kernel"] + u["bias"]
        states.append(np.maximum(hidden[:, step] @ w["kernel"] + w["bias"] + again, 0))
    assert len(states) == 2 and all(np.abs(layer["bias"]).min() > 0 for layer in params.values())
    wanted = np.mean(states, axis=0) @ params["Dense_2"]["kernel"] + params["Dense_2"]["bias"]
    np.testing.assert_allclose(outputs, wanted, rtol=1e-4, atol=1e-6)


def test_what_the_last_pooling_leaves_out_is_ignored_and_the_variant_without_it_reads_all():
    """At the authors' length, with few channels: no window of the third pooling reaches the last of its 18 inputs."""
    captions = captions_of(2, 1, 201)
    changed = (captions - 96) % 26 + 97  # the next letter
    batch = jnp.concatenate([captions, *[captions.at[:, start:].set(changed[:, start:]) for start in (192, 176)]])
    for net, ignores in ((CharCNNRNN((4, 4, 4), width=4), True), (CharCNNRNN((4, 4, 4), (3, 3, 0), width=4), False)):
        net = net.clone(initializer=Uniform(0.7))
        outputs, _ = jax.jit(lambda batch, net=net: net.init_with_output(jax.random.key(0), batch, (2,)))(batch)
        assert (outputs[0] == outputs[1]).all() == ignores
        assert (outputs[0] != outputs[2]).any()


def test_the_gated_network_is_flax_s_over_all_steps():
    """The mean of the states of `nn.RNN` over what the convolutions leave."""
    captions = captions_of(3, 2, 12)
    outputs, variables = initialised(SMALL.clone(cell="gru"), captions)
    params = variables["params"]

    @jax.jit
    def wanted(params):
        layers = [params["Conv_0"], params["Conv_1"]]
        hidden = one_hot(captions)[:, :, None]
        hidden = nn.relu(conv(hidden, layers[0]["kernel"], padding="VALID") + layers[0]["bias"][None, None, None])
        hidden = nn.max_pool(hidden, (3, 1), (2, 1))
        hidden = nn.relu(conv(hidden, layers[1]["kernel"], padding="VALID") + layers[1]["bias"][None, None, None])
        states: Any = nn.RNN(nn.GRUCell(4)).apply({"params": {"cell": params["GRUCell_0"]}}, hidden[:, :, 0])
        return states.mean(axis=1) @ params["Dense_0"]["kernel"] + params["Dense_0"]["bias"][None]

    np.testing.assert_allclose(outputs, wanted(params), rtol=1e-5, atol=1e-6)


def test_a_caption_that_leaves_one_step_has_the_weights_of_a_longer_one():
    captions = captions_of(4, 2, 9)
    assert SMALL.steps(9) == 1
    outputs, variables = initialised(SMALL, captions)
    longer = initialised(SMALL, captions_of(4, 2, 12))[1]
    assert jax.tree.map(jnp.shape, variables) == jax.tree.map(jnp.shape, longer)
    assert np.isfinite(outputs).all()


def test_captions_that_are_too_short_are_refused_with_the_shortest_that_fit():
    with pytest.raises(ValueError, match="length of captions is 40, but must be at least 66 bytes for conv"):
        sizes(CharCNNRNN(), 40, 4)
    with pytest.raises(ValueError, match="channels, strides"):
        sizes(CharCNNRNN((2,), (3, 3)), 40, 4)
