"""NVIDIA's names, and its first map and convolution written out in NumPy, and ours with the same weights."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import signal

from experiments.runs import variables as stored
from experiments.weights import generators, stylegan3
from experiments.weights.nvlabs import Network
from jaxgen.gans import stylegan3 as model
from jaxgen.nets.mapping import Mapping
from jaxgen.nets.stylegan2 import StyleGAN2Discriminator
from jaxgen.nets.stylegan3 import FourierFeatures, StyleGAN3Synthesis, normalized_conv, specification
from jaxgen.priors import Normal

STYLES, LATENT, SHAPE = 3, 5, (16, 16, 3)
SYNTHESIS = StyleGAN3Synthesis(channel_base=32, channel_max=4, num_layers=3, num_critical=1)
LAYERS = specification(SYNTHESIS, SHAPE)


def theirs():
    """Random arrays of the authors' names and shapes."""
    draw = np.random.default_rng(0).normal
    waves = LAYERS[0].in_channels
    arrays = {
        "mapping.w_avg": draw(size=STYLES),
        "synthesis.input.weight": draw(size=(waves, waves)),
        "synthesis.input.affine.weight": draw(size=(4, STYLES)),
        "synthesis.input.affine.bias": np.array([1.0, 0.5, 0.2, -0.3]),
        "synthesis.input.transform": np.eye(3),
        "synthesis.input.freqs": draw(size=(waves, 2)),
        "synthesis.input.phases": draw(size=waves),
    }
    for number, inputs in enumerate((LATENT, STYLES)):
        arrays |= {f"mapping.fc{number}.weight": draw(size=(STYLES, inputs)), f"mapping.fc{number}.bias": draw(size=3)}
    for number, layer in enumerate(LAYERS):
        place = f"synthesis.L{number}_{layer.size}_{layer.channels}"
        size = (layer.channels, layer.in_channels, layer.kernel_size, layer.kernel_size)
        arrays |= {f"{place}.weight": draw(size=size), f"{place}.bias": draw(size=layer.channels)}
        arrays[f"{place}.affine.weight"] = draw(size=(layer.in_channels, STYLES))
        arrays[f"{place}.affine.bias"] = draw(size=layer.in_channels)
        arrays |= {f"{place}.magnitude_ema": np.array(2.0 + number), f"{place}.up_filter": np.ones(12)}
    return Network("Generator", (), {}, {name: array.astype(np.float32) for name, array in arrays.items()})


@functools.cache
def fitted():
    """Under our names, held against the shapes of our model."""
    mapping, discriminator = Mapping(2, STYLES, scaled_activation=True), StyleGAN2Discriminator(16, 4)
    nets = {"mapping": mapping, "synthesis": SYNTHESIS, "discriminator": discriminator}
    config = model.Config(image_shape=SHAPE, prior=Normal(LATENT), **nets)
    shapes = jax.eval_shape(lambda: model.init(config, jax.random.key(0))).ema
    like = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)
    return generators.fitted(stylegan3.generator(theirs()), like)


def test_all_arrays_fit_and_each_layers_are_its_own():
    ours, arrays = fitted(), theirs().arrays
    for number, layer in enumerate(LAYERS):
        name = "to_rgb" if layer.to_rgb else f"layer{number}"
        np.testing.assert_array_equal(ours["magnitudes"]["synthesis"][name]["mean_square"], 2.0 + number)
        bias = arrays[f"synthesis.L{number}_{layer.size}_{layer.channels}.bias"]
        np.testing.assert_array_equal(ours["params"]["synthesis"][name]["bias"], bias)
    np.testing.assert_array_equal(ours["averages"]["w"], arrays["mapping.w_avg"])


def test_the_waves_are_the_authors():
    layer, arrays = LAYERS[0], {name: array.astype(np.float64) for name, array in theirs().arrays.items()}
    w = np.random.default_rng(1).normal(size=STYLES)
    part = {name.removeprefix("synthesis.input."): array for name, array in arrays.items()}
    turn = part["affine.weight"] @ w / np.sqrt(STYLES) + part["affine.bias"]
    c, s, x, y = turn / np.hypot(*turn[:2])
    transform = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ np.array([[1, 0, -x], [0, 1, -y], [0, 0, 1]])
    frequencies = part["freqs"] @ transform[:2, :2]
    phases = part["phases"] + part["freqs"] @ transform[:2, 2]
    band = layer.in_rate / 2 - layer.in_cutoff
    amplitudes = np.clip(1 - (np.hypot(*frequencies.T) - layer.in_cutoff) / band, 0, 1)
    places = (np.arange(layer.in_size) + 0.5 - layer.in_size / 2) / layer.in_rate
    grid = np.stack(np.meshgrid(places, places), axis=-1)  # x, y
    waves = np.sin(2 * np.pi * (grid @ frequencies.T + phases)) * amplitudes
    wanted = waves @ part["weight"].T / np.sqrt(layer.in_channels)

    ours = fitted()
    variables = {name: ours[name]["synthesis"]["waves"] for name in ("params", "waves")}
    found = FourierFeatures(layer).apply(variables, jnp.float32(w)[None], jnp.eye(3)[None])
    np.testing.assert_allclose(found[0], wanted, atol=1e-4)


def test_a_convolution_is_the_authors_correlation():
    layer, arrays = LAYERS[0], theirs().arrays
    weight = arrays[f"synthesis.L0_{layer.size}_{layer.channels}.weight"].astype(np.float64)
    image, scales = (
        np.random.default_rng(1).normal(size=size) for size in ((layer.in_channels, 6, 6), weight.shape[1])
    )
    own = weight * scales[None, :, None, None]
    own = own / np.sqrt((own**2).sum((1, 2, 3), keepdims=True))
    wanted = [sum(signal.correlate2d(*pair, "full") for pair in zip(image, each, strict=True)) for each in own]
    kernel = fitted()["params"]["synthesis"]["layer0"]["kernel"]
    inputs = jnp.float32(np.moveaxis(image, 0, -1))[None]
    found = normalized_conv(inputs, kernel, jnp.float32(scales)[None], demodulate=True)
    np.testing.assert_allclose(found[0], np.moveaxis(np.stack(wanted), 0, -1), atol=1e-4)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda network: network._replace(kind="Discriminator"), "is a Discriminator of another form"),
        (lambda network: network._replace(arrays={}), "is a Generator of another form"),
        (lambda network: _with(network, "synthesis.skip.weight"), r"has 'synthesis\.skip\.weight', which"),
        (lambda network: _with(network, "synthesis.L0_36_4.gain"), "has 'gain' in a layer"),
    ],
)
def test_networks_of_another_form_are_refused(change, said):
    with pytest.raises(ValueError, match=said):
        stylegan3.generator(change(theirs()))


def _with(network, name):
    return network._replace(arrays={**network.arrays, name: np.zeros(1, np.float32)})


def test_a_network_of_other_sizes_is_named():
    found = stylegan3.generator(theirs())
    like = stored.nested(found | {"averages/w": np.zeros(4, np.float32)})
    with pytest.raises(ValueError, match=r"does not fit the model's settings: averages/w is float32\[3\] there and fl"):
        generators.fitted(found, like)
