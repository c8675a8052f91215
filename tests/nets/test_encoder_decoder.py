import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.conditioning import Beside
from jaxgen.nets.encoder_decoder import ConditionalEncoderDecoder, EncoderDecoder, SharedScale
from jaxgen.nets.mlp import MLP
from jaxgen.train_state import apply

IMAGES = jax.random.normal(jax.random.key(1), (5, 4, 4, 1))
LATENTS = jax.random.normal(jax.random.key(2), (5, 3))


def test_the_halves_are_the_two_networks_with_their_own_params():
    encoder, decoder = MLP((6,)), MLP((7,))
    both = EncoderDecoder(encoder, decoder)
    params = both.init(jax.random.key(0), IMAGES, (3,), LATENTS, (4, 4, 1))["params"]
    assert params.keys() == {"encoder", "decoder"}
    codes, _ = apply(both, params, {}, IMAGES, (3,), method="encode")
    images, _ = apply(both, params, {}, LATENTS, (4, 4, 1), method="decode")
    np.testing.assert_array_equal(codes, encoder.apply({"params": params["encoder"]}, IMAGES, (3,)))
    np.testing.assert_array_equal(images, decoder.apply({"params": params["decoder"]}, LATENTS, (4, 4, 1)))


def test_a_call_of_one_half_keeps_the_statistics_of_the_other():
    both = EncoderDecoder(MLP((6,), norm="batch"), MLP((7,), norm="batch"))
    variables = both.init(jax.random.key(0), IMAGES, (3,), LATENTS, (4, 4, 1))
    before = {"batch_stats": variables["batch_stats"]}
    _, after = apply(both, variables["params"], before, IMAGES, (3,), method="encode", train=True)
    encoder, decoder = (after["batch_stats"][half] for half in ("encoder", "decoder"))
    assert jax.tree.structure(after) == jax.tree.structure(before)
    assert not np.array_equal(*(jax.tree.leaves(tree)[0] for tree in (encoder, before["batch_stats"]["encoder"])))
    jax.tree.map(np.testing.assert_array_equal, decoder, before["batch_stats"]["decoder"])


def test_the_conditional_parts_are_the_networks_with_their_own_params():
    encoder, decoder, prior = Beside(MLP((6,))), Beside(MLP((7,))), MLP((5,))
    net = ConditionalEncoderDecoder(encoder, decoder, prior)
    classes = jax.nn.one_hot(jnp.arange(5), 3)
    params = net.init(jax.random.key(0), IMAGES, (3,), LATENTS, (4, 4, 1), classes)["params"]
    assert params.keys() == {"encoder", "decoder", "prior"}
    inputs = {
        "encode": (encoder, params["encoder"], (IMAGES, classes, (3,))),
        "decode": (decoder, params["decoder"], (LATENTS, classes, (4, 4, 1))),
        "expect": (prior, params["prior"], (classes, (3,))),
    }
    for method, (part, own, arguments) in inputs.items():
        found, _ = apply(net, params, {}, *arguments, method=method)
        np.testing.assert_array_equal(found, part.apply({"params": own}, *arguments), err_msg=method)


def test_a_conditional_network_without_a_prior_has_no_params_for_it_and_says_so():
    net = ConditionalEncoderDecoder(Beside(MLP(())), Beside(MLP(())))
    classes = jax.nn.one_hot(jnp.arange(5), 3)
    params = net.init(jax.random.key(0), IMAGES, (3,), LATENTS, (4, 4, 1), classes)["params"]
    assert params.keys() == {"encoder", "decoder"}
    with pytest.raises(ValueError, match="prior is None"):
        apply(net, params, {}, classes, (3,), method="expect")


def test_a_shared_scale_is_one_parameter_beside_the_means():
    net = SharedScale(MLP(()))
    variables = net.init(jax.random.key(0), LATENTS, (4, 4, 6))
    variables = {"params": {**variables["params"], "log_scale": jnp.float32(-1.5)}}
    outputs = net.apply(variables, LATENTS, (4, 4, 6))
    means = MLP(()).apply({"params": variables["params"]["decoder"]}, LATENTS, (4, 4, 3))
    np.testing.assert_array_equal(outputs[..., :3], means)
    np.testing.assert_array_equal(outputs[..., 3:], np.full((5, 4, 4, 3), -1.5))


def test_a_shared_scale_refuses_an_odd_number_of_channels():
    with pytest.raises(ValueError, match="must hold means and log-scales"):
        SharedScale(MLP(())).init(jax.random.key(0), LATENTS, (4, 4, 3))
