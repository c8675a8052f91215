"""NVIDIA's generator written out in NumPy and SciPy, and ours with its weights under our names."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import signal

from experiments.runs import variables as stored
from experiments.weights import generators, stylegan2
from experiments.weights.nvlabs import Network
from jaxgen.gans import stylegan2 as model
from jaxgen.nets.conditioning import InnerCondition
from jaxgen.nets.mapping import Mapping
from jaxgen.nets.stylegan2 import StyleGAN2Discriminator, StyleGAN2Synthesis
from jaxgen.priors import Normal

FILTER = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64
STYLES, LATENT, CLASSES = 3, 5, 2
WIDTHS = {4: 4, 8: 2}
SYNTHESIS = StyleGAN2Synthesis(channel_base=16, channel_max=4)
SHAPE = (8, 8, 3)


def theirs(classes=0):
    """Random arrays of the authors' names and shapes; no noise."""
    draw = np.random.default_rng(0).normal
    arrays = {"synthesis.b4.const": draw(size=(WIDTHS[4], 4, 4)), "mapping.w_avg": draw(size=STYLES)}
    if classes:
        arrays |= {"mapping.embed.weight": draw(size=(STYLES, classes)), "mapping.embed.bias": draw(size=STYLES)}
    for layer, inputs in enumerate((LATENT + (STYLES if classes else 0), STYLES)):
        arrays[f"mapping.fc{layer}.weight"] = 100 * draw(size=(STYLES, inputs))
        arrays[f"mapping.fc{layer}.bias"] = 100 * draw(size=STYLES)
    for side, layer, inputs, outputs, size in (
        (4, "conv1", 4, 4, 3),
        (8, "conv0", 4, 2, 3),
        (8, "conv1", 2, 2, 3),
        (4, "torgb", 4, 3, 1),
        (8, "torgb", 2, 3, 1),
    ):
        place = f"synthesis.b{side}.{layer}"
        arrays[f"{place}.affine.weight"] = draw(size=(inputs, STYLES))
        arrays[f"{place}.affine.bias"] = 1 + draw(size=inputs)
        arrays[f"{place}.weight"] = draw(size=(outputs, inputs, size, size))
        arrays[f"{place}.bias"] = draw(size=outputs)
        if layer != "torgb":
            arrays |= {f"{place}.noise_strength": np.zeros(()), f"{place}.noise_const": draw(size=(side, side))}
            arrays[f"{place}.resample_filter"] = FILTER
    arrays["synthesis.b4.resample_filter"] = FILTER
    return Network("Generator", (), {}, {name: array.astype(np.float32) for name, array in arrays.items()})


def activate(x):
    return np.sqrt(2) * np.where(x > 0, x, 0.2 * x)


def normalized(x):
    return x / np.sqrt((x**2).mean(1, keepdims=True) + 1e-8)


def mapped(arrays, z, y=None):
    x = normalized(z)
    if y is not None:
        embedded = y @ arrays["mapping.embed.weight"].T / np.sqrt(y.shape[1]) + arrays["mapping.embed.bias"]
        x = np.concatenate([x, normalized(embedded)], axis=1)
    for layer in range(2):
        weight, bias = arrays[f"mapping.fc{layer}.weight"], arrays[f"mapping.fc{layer}.bias"]
        x = activate(x @ weight.T * 0.01 / np.sqrt(x.shape[1]) + 0.01 * bias)
    return x


def spaced(x):
    zeros = np.zeros((2 * x.shape[0], 2 * x.shape[1]))
    zeros[::2, ::2] = x
    return zeros


def layer(arrays, place, x, w, up=False):
    """x is (channels, height, width); correlation, or with `up` zeros between, a convolution, and the filter."""
    weight = arrays[f"{place}.weight"]
    styles = arrays[f"{place}.affine.weight"] @ w / np.sqrt(STYLES) + arrays[f"{place}.affine.bias"]
    to_image = place.endswith("torgb")
    if to_image:
        styles = styles / np.sqrt(weight.shape[1])
    weight = weight * styles[None, :, None, None]
    if not to_image:
        weight = weight / np.sqrt((weight**2).sum((1, 2, 3), keepdims=True) + 1e-8)

    def one(channel, kernel):
        if not up:
            return signal.correlate2d(channel, kernel, "same")
        full = signal.convolve2d(spaced(channel)[:-1, :-1], kernel, "full")
        return signal.convolve2d(np.pad(full, 1), 4 * FILTER, "valid")

    outputs = [sum(one(*pair) for pair in zip(x, kernels, strict=True)) for kernels in weight]
    outputs = np.stack(outputs) + arrays[f"{place}.bias"][:, None, None]
    return outputs if to_image else activate(outputs)


def synthesized(arrays, w):
    x = layer(arrays, "synthesis.b4.conv1", arrays["synthesis.b4.const"], w)
    image = layer(arrays, "synthesis.b4.torgb", x, w)
    x = layer(arrays, "synthesis.b8.conv0", x, w, up=True)
    x = layer(arrays, "synthesis.b8.conv1", x, w)
    image = [signal.convolve2d(np.pad(spaced(each), ((2, 1), (2, 1))), 4 * FILTER, "valid") for each in image]
    return np.moveaxis(np.stack(image) + layer(arrays, "synthesis.b8.torgb", x, w), 0, -1)


@pytest.mark.exhaustive
@pytest.mark.parametrize("classes", [0, CLASSES])
def test_our_generator_with_their_weights_is_theirs(classes):
    network = theirs(classes)
    z, y = np.random.default_rng(1).normal(size=(2, LATENT)).astype(np.float32), np.eye(2, dtype=np.float32)
    given = (jnp.asarray(y),) if classes else ()
    mapping = Mapping(2, STYLES, scaled_activation=True)
    mapping = InnerCondition(mapping) if classes else mapping
    discriminator = StyleGAN2Discriminator(channel_base=16, channel_max=4, mapping_layers=1)
    nets = {"mapping": mapping, "synthesis": SYNTHESIS, "discriminator": discriminator}
    if classes:
        nets |= {"discriminator": InnerCondition(discriminator), "num_classes": classes}
    config = model.Config(image_shape=SHAPE, prior=Normal(LATENT), **nets)
    shapes = jax.eval_shape(lambda: model.init(config, jax.random.key(0))).ema
    like = jax.tree.map(lambda leaf: jnp.full(leaf.shape, 2.5, leaf.dtype), shapes)
    ours = generators.fitted(stylegan2.generator(network), like)
    np.testing.assert_array_equal(ours["averages"]["w"], network.arrays["mapping.w_avg"])
    assert ours["averages"]["path_length"] == 2.5  # no part of the file
    styles = mapping.apply({"params": ours["params"]["mapping"]}, jnp.asarray(z), *given, ())
    wanted = mapped(network.arrays, z.astype(np.float64), y if classes else None)
    np.testing.assert_allclose(styles, wanted, rtol=1e-4, atol=1e-5)
    ws = jnp.broadcast_to(styles[:, None], (2, 4, STYLES))
    images = SYNTHESIS.apply({"params": ours["params"]["synthesis"]}, ws, SHAPE)
    for image, style in zip(images, wanted, strict=True):
        np.testing.assert_allclose(image, synthesized(network.arrays, style), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda network: network._replace(kind="Discriminator"), "is a Discriminator of another form"),
        (lambda network: network._replace(arrays={}), "is a Generator of another form"),
        (lambda network: _with(network, "synthesis.b8.skip.weight"), r"has 'synthesis\.b8\.skip\.weight', which"),
        (lambda network: _with(network, "synthesis.b8.conv0.gain"), "has 'gain' in a layer"),
    ],
)
def test_networks_of_another_form_are_refused(change, said):
    with pytest.raises(ValueError, match=said):
        stylegan2.generator(change(theirs()))


def _with(network, name):
    return network._replace(arrays={**network.arrays, name: np.zeros(1, np.float32)})


def test_a_network_of_other_sizes_is_named():
    found = stylegan2.generator(theirs())
    like = stored.nested(found | {"averages/w": np.zeros(4, np.float32)})
    with pytest.raises(ValueError, match=r"does not fit the model's settings: averages/w is float32\[3\] there and fl"):
        generators.fitted(found, like)
