"""Hook points change nothing, and stand after the layer of each style."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.hook_point import Features, HookPoint
from jaxgen.nets.stylegan import StyleGANSynthesis
from jaxgen.nets.stylegan2 import StyleGAN2Synthesis
from jaxgen.nets.stylegan3 import StyleGAN3Synthesis

NETS = {
    "stylegan": StyleGANSynthesis(8, 2),
    "stylegan2": StyleGAN2Synthesis(32, 2),
    "stylegan3": StyleGAN3Synthesis(32, 2, num_layers=3, num_critical=1, margin=1),
}


def test_a_hook_point_has_no_weights_and_returns_what_it_is_given():
    features = Features(jnp.ones((1, 2, 2, 3)), None)
    found, variables = HookPoint(0).init_with_output(jax.random.key(0), features)
    assert not variables and found is features


@pytest.mark.parametrize("name", NETS)
def test_a_network_calls_one_for_each_style_in_order(name):
    net, shape, found = NETS[name], (16, 16, 1), {}
    ws = jnp.zeros((1, net.num_styles(shape), 3))

    def record(call, args, kwargs, context):
        outputs = call(*args, **kwargs)
        if isinstance(context.module, HookPoint):
            found[context.module.number] = outputs
        return outputs

    with nn.intercept_methods(record):
        jax.eval_shape(lambda: net.init(jax.random.key(0), ws, shape))
    assert list(found) == list(range(net.num_styles(shape)))
    assert found[len(found) - 1].hidden.shape[1:3] == (16, 16)
    images = [features.image for features in found.values()]
    if name == "stylegan2":
        assert images[0] is None
        assert all(one.image.shape[1:3] == one.hidden.shape[1:3] for one in list(found.values())[1:])
    else:
        assert np.all([image is None for image in images])
