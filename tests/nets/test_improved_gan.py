"""Networks of improved GAN: published counts, virtual batch normalisation, noise and features."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.mode import Mode
from jaxgen.nets.improved_gan import (
    ImprovedConvDiscriminator,
    ImprovedConvGenerator,
    ImprovedMLPDiscriminator,
    ImprovedMLPGenerator,
)

GREY, COLOUR = (28, 28, 1), (32, 32, 3)
LATENTS = jax.random.uniform(jax.random.key(0), (6, 3), minval=-1.0)


@pytest.mark.parametrize(
    ("net", "inputs", "shape", "wanted"),
    [
        (ImprovedMLPGenerator(), (100,), GREY, 693_784),
        (ImprovedMLPDiscriminator(), GREY, (10,), 1_538_760),
        (ImprovedConvGenerator(), (100,), COLOUR, 4_933_379),
        (ImprovedConvDiscriminator(), COLOUR, (10,), 1_406_794),
        (ImprovedConvDiscriminator(kernels=100), COLOUR, (10,), 1_406_794 + 96_600 - 100 * 5 + 1000),
    ],
)
def test_weights_and_biases_are_as_many_as_published(net, inputs, shape, wanted):
    """Without the lengths of weights. Minibatch discrimination gives the last layer 100 inputs more, of 10 weights."""
    params = jax.eval_shape(lambda: net.init(jax.random.key(0), jnp.ones((2, *inputs)), shape))["params"]
    found = jax.tree_util.tree_leaves_with_path(params)
    sizes = {jax.tree_util.keystr(path): leaf.size for path, leaf in found}
    assert sum(size for path, size in sizes.items() if "scale" not in path) == wanted


@pytest.mark.parametrize("net", [ImprovedMLPGenerator((4, 4)), ImprovedConvGenerator((4, 2))])
def test_with_virtual_batch_normalisation_an_image_does_not_depend_on_the_others(net):
    net, shape = net.clone(norm="virtual", num_reference=5), (8, 16, 1)
    variables = net.init(jax.random.key(1), LATENTS, shape)
    outputs = net.apply(variables, LATENTS, shape, mode=Mode(train=True))
    assert outputs.shape == (6, *shape) and "batch_stats" not in variables
    one = net.apply(variables, LATENTS[2:3], shape, mode=Mode(train=True))
    np.testing.assert_allclose(one, outputs[2:3], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "net", [ImprovedMLPDiscriminator((6, 5), kernels=2), ImprovedConvDiscriminator((4, 5), kernels=2)]
)
def test_discriminators_give_features_and_logits_and_are_noisy_in_training(net):
    images = jax.random.uniform(jax.random.key(2), (4, 12, 12, 1))
    variables = net.init(jax.random.key(1), images, (3,))
    plain = net.apply(variables, images, (3,))
    assert plain["features"].shape == (4, 5) and plain["logits"].shape == (4, 3)
    np.testing.assert_array_equal(net.apply(variables, images, (3,))["logits"], plain["logits"])
    mode = Mode(jax.random.split(jax.random.key(3), 4), train=True)
    noisy = net.apply(variables, images, (3,), mode=mode)
    assert np.abs(noisy["features"] - plain["features"]).max() > 1e-3


@pytest.mark.parametrize(
    ("net", "inputs", "shape", "message"),
    [
        (ImprovedConvGenerator((2, 2)), LATENTS, (6, 8, 1), "of sides that are multiples of 4"),
        (ImprovedMLPDiscriminator(()), LATENTS, (3,), "one positive width or more"),
        (ImprovedMLPDiscriminator((2,)), LATENTS, (), r"output_shape is \(\), but must be \(classes,\), at least 2"),
        (
            ImprovedConvDiscriminator((0, 2)),
            jnp.ones((2, 12, 12, 1)),
            (3,),
            r"channels is \(0, 2\), but must be positive",
        ),
        (ImprovedConvDiscriminator((2, 2)), jnp.ones((2, 8, 12, 1)), (3,), "of sides of at least 9"),
    ],
)
def test_bad_sizes_are_refused(net, inputs, shape, message):
    with pytest.raises(ValueError, match=message):
        net.init(jax.random.key(0), inputs, shape)
