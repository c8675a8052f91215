"""Alias-free synthesis network of StyleGAN 3: images move with the coordinates that they are made of.

Karras, Aittala, Laine, Harkonen, Hellsten, Lehtinen, Aila: Alias-Free Generative Adversarial Networks, 2021, arXiv
2106.12423, and the authors' code.

Maps are samples of continuous signals that are limited in frequency. Layer i has a cutoff f_c and a stop band f_t,

    f_c = f_c0 (f_cN / f_c0)^e,    f_t = f_t0 (f_tN / f_t0)^e,    e = min(i / (N - N_crit), 1)             (1)
    s = 2^ceil(log2(min(2 f_t, R))),    f_h = max(f_t, s / 2) - f_c,    channels min(base / (2 f_c), max)  (2)

with sampling rate s, R the side of the image, f_cN = R / 2. Frequencies are in cycles for the width of the image. Maps
are 2 margins larger than s, so that what lies outside of the image can move in. Each layer convolves, upsamples to
twice the larger of both rates, applies the leaky ReLU there, whose new frequencies the last filter removes, and
downsamples. The first map is a sum of waves of random frequency up to f_c0, turned and moved by a linear map of w.

    StyleGAN3Synthesis()                                                              T: moves with translations
    StyleGAN3Synthesis(channel_base=65536, channel_max=1024, kernel_size=1, radial=True)   R: with rotations too

Images are square, their side is a power of two.
"""

import math
from typing import Literal, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution_algebra import Outputs
from jaxgen.nets.equalized import EqualizedDense
from jaxgen.nets.filters import Taps, lowpass, radial_lowpass
from jaxgen.nets.hook_point import Features, HookPoint
from jaxgen.nets.modulated import EPSILON, modulated_conv
from jaxgen.nets.stylegan2 import activate
from jaxgen.nets.upfirdn import upfirdn
from jaxgen.parallel import pmean
from jaxgen.typing import Images, Shape

CLAMP = 256.0
"""Largest absolute value after an activation."""

Transforms = Float[Array, "batch 3 3"]
"""Of the coordinates of each image, homogeneous; x to the right, y down, the image is [-1/2, 1/2]^2."""


class Layer(NamedTuple):
    """One layer's sizes and frequencies; `in_` those of the layer before."""

    in_channels: int
    channels: int
    in_size: int
    size: int
    in_rate: int
    rate: int
    inner_rate: int  # at which the activation is applied
    in_cutoff: float
    cutoff: float
    in_half_width: float
    half_width: float
    up: int
    down: int
    padding: tuple[int, int]  # of the upsampled map, on both axes; negative numbers crop
    kernel_size: int
    num_taps: tuple[int, int]  # of the filters up and down
    radial: bool  # whether the filter down is the same in all directions
    to_rgb: bool  # without filters and activation


class StyleGAN3Synthesis(nn.Module):
    """Waves, `num_layers` filtered layers and a linear one to the colours."""

    channel_base: int = 32_768  # channels of a layer times 2 f_c
    channel_max: int = 512
    num_layers: int = 14  # N
    num_critical: int = 2  # N_crit, last layers whose cutoff is half of the sampling rate
    first_cutoff: float = 2.0  # f_c0
    first_stopband: float = 2**2.1  # f_t0
    last_stopband: float = 2**0.3  # f_tN over f_cN
    margin: int = 10  # places outside of the image on each side
    kernel_size: int = 3
    radial: bool = False  # whether downsampling filters, but for critical layers', are the same in all directions
    filter_size: int = 6  # taps of a filter over its factor
    output_scale: float = 0.25
    magnitude_half_life: float = 625.0  # updates: 20,000 images of 32 in an update
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.nowrap
    def num_styles(self, output_shape: Shape) -> int:
        """w for the waves, for each layer and for the colours."""
        return self.num_layers + 2

    def __call__(self, ws: jax.Array, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, num_styles, features) to (batch, *output_shape), float32, without bounds."""
        return self.render(ws, output_shape, jnp.broadcast_to(jnp.eye(3), (ws.shape[0], 3, 3)), mode=mode)

    @nn.compact
    def render(
        self, ws: jax.Array, output_shape: Shape, transforms: Transforms, *, mode: Mode = EVALUATION
    ) -> jax.Array:
        """The same with coordinates x of each image replaced by M x.

        M is the inverse of how the image moves: an offset of -t moves it by t, in widths of the image.
        """
        num = self.num_styles(output_shape)
        require(ws.shape[1] == num, "styles of an image", ws.shape[1], f"{num}, one for each layer")
        layers = specification(self, output_shape)
        hidden = FourierFeatures(layers[0], name="waves")(ws[:, 0], transforms)
        hidden = HookPoint(0)(Features(hidden, None)).hidden
        for number, layer in enumerate(layers):
            name = "to_rgb" if layer.to_rgb else f"layer{number}"
            module = FilteredLayer(layer, self.magnitude_half_life, self.dtype, name=name)
            hidden = module(hidden, ws[:, number + 1], mode)
            hidden = HookPoint(number + 1)(Features(hidden, None)).hidden
        return self.output_scale * hidden.astype(jnp.float32)


def specification(net: StyleGAN3Synthesis, image_shape: Shape) -> tuple[Layer, ...]:
    """The layers of an image: equations 1 and 2, and the padding that gives each its size.

    Raises:
        ValueError: for images that are not square or whose side is no power of two from 16 on, and settings that do
            not fit.
    """
    _require(net, image_shape)
    side, last = image_shape[0], net.num_layers
    exponents = np.minimum(np.arange(last + 1) / (last - net.num_critical), 1.0)
    cutoffs = net.first_cutoff * (side / 2 / net.first_cutoff) ** exponents
    stopbands = net.first_stopband * (side / 2 * net.last_stopband / net.first_stopband) ** exponents
    rates = [2 ** math.ceil(math.log2(min(2 * stopband, side))) for stopband in stopbands]
    half_widths = [max(band, rate / 2) - cut for band, rate, cut in zip(stopbands, rates, cutoffs, strict=True)]
    sizes = [side if number >= last - 1 else rate + 2 * net.margin for number, rate in enumerate(rates)]
    channels = [round(min(net.channel_base / 2 / cutoff, net.channel_max)) for cutoff in cutoffs[:-1]]
    frequencies = cutoffs.tolist(), [float(width) for width in half_widths]
    maps = list(zip([*channels, image_shape[2]], sizes, rates, *frequencies, strict=True))
    return tuple(_layer(net, number, maps[max(number - 1, 0)], maps[number]) for number in range(last + 1))


def _layer(net: StyleGAN3Synthesis, number: int, before: tuple, after: tuple) -> Layer:
    (in_channels, in_size, in_rate, in_cutoff, in_half_width), (channels, size, rate, cutoff, half_width) = (
        before,
        after,
    )
    to_rgb = number == net.num_layers
    kernel = 1 if to_rgb else net.kernel_size
    inner = max(in_rate, rate) * (1 if to_rgb else 2)
    up, down = inner // in_rate, inner // rate
    per_place = 0 if to_rgb else net.filter_size
    taps = max(1, per_place * up), max(1, per_place * down)
    total = (size - 1) * down + 1 - (in_size + kernel - 1) * up + sum(taps) - 2
    low = (total + up) // 2
    radial = net.radial and number < net.num_layers - net.num_critical
    return Layer(
        *(in_channels, channels, in_size, size, in_rate, rate, inner),
        *(in_cutoff, cutoff, in_half_width, half_width),
        *(up, down, (low, total - low), kernel, taps, radial, to_rgb),
    )


class FourierFeatures(nn.Module):
    """Waves of random frequency and phase, turned and moved as w says, and a linear map of their channels.

    Frequencies are uniform in the disc of radius f_c. Waves that a transform brings above f_c fade, and are 0 from half
    of the sampling rate on.
    """

    layer: Layer  # the first one, whose input this is

    @nn.compact
    def __call__(self, w: jax.Array, transforms: Transforms) -> Images:
        """(batch, features) and the transform of each image to (batch, size, size, channels), float32."""
        num, size, rate, cutoff = self.layer.in_channels, self.layer.in_size, self.layer.in_rate, self.layer.in_cutoff
        frequencies = self.variable("waves", "frequencies", lambda: _frequencies(self.make_rng("params"), num, cutoff))
        phases = self.variable("waves", "phases", lambda: jax.random.uniform(self.make_rng("params"), (num,)) - 0.5)
        turned = _moved(self._affine(w.astype(jnp.float32)), transforms)
        moved = jnp.einsum("cx,bxy->bcy", frequencies.value, turned[:, :2, :2])
        offsets = phases.value[None] + jnp.einsum("cx,bx->bc", frequencies.value, turned[:, :2, 2])
        lengths = jnp.sqrt((moved**2).sum(axis=2) + 1e-12)
        amplitudes = jnp.clip(1.0 - (lengths - cutoff) / (rate / 2 - cutoff), 0.0, 1.0)
        places = (jnp.arange(size, dtype=jnp.float32) + 0.5 - size / 2) / rate
        rows, columns = (places[None, :, None] * moved[:, None, :, axis] for axis in (1, 0))
        angles = rows[:, :, None] + columns[:, None] + offsets[:, None, None]
        kernel = self.param("kernel", nn.initializers.normal(1.0), (num, num))
        waves = amplitudes[:, None, None] * jnp.sin(2 * jnp.pi * angles)
        return waves @ (kernel / math.sqrt(num))

    def _affine(self, w: jax.Array) -> jax.Array:
        """(r_c, r_s, t_x, t_y) of each w: no turn and no move in a fresh network."""
        kernel = self.param("affine_kernel", nn.initializers.zeros, (w.shape[1], 4))
        bias = self.param("affine_bias", lambda _: jnp.array([1.0, 0.0, 0.0, 0.0]))
        return w @ kernel / math.sqrt(w.shape[1]) + bias[None]


class FilteredLayer(nn.Module):
    """A convolution modulated by w, and a leaky ReLU at a higher rate between two filters."""

    layer: Layer
    magnitude_half_life: float  # updates
    dtype: Literal["float32", "bfloat16"] = "float32"

    @nn.compact
    def __call__(self, images: Images, w: jax.Array, mode: Mode) -> Outputs:
        """(batch, in_size, in_size, in_channels) to (batch, size, size, channels)."""
        layer, size = self.layer, self.layer.kernel_size
        kernel = self.param("kernel", nn.initializers.normal(1.0), (size, size, layer.in_channels, layer.channels))
        bias = self.param("bias", nn.initializers.zeros, (layer.channels,))
        scales = EqualizedDense(layer.in_channels, bias=1.0, name="affine")(w.astype(jnp.float32))
        gain = self._gain(images, mode)
        images = (images * gain.astype(images.dtype)).astype(self.dtype)
        images = normalized_conv(images, kernel, scales, demodulate=not layer.to_rgb)
        images = images + bias.astype(images.dtype)[None, None, None]
        return images if layer.to_rgb else filtered(images, layer)

    def _gain(self, images: Images, mode: Mode) -> jax.Array:
        """1 / sqrt of the inputs' mean square, a moving average over all batches of training before this one."""
        average = self.variable("magnitudes", "mean_square", lambda: jnp.ones(()))
        gain = jax.lax.rsqrt(average.value)
        if mode.train and not self.is_initializing():
            squares = jax.lax.stop_gradient(images).astype(jnp.float32) ** 2
            decay = 0.5 ** (1 / self.magnitude_half_life)
            average.value = decay * average.value + (1 - decay) * pmean(squares.mean(), mode.axis_name)
        return gain


def normalized_conv(images: Images, kernel: jax.Array, scales: jax.Array, *, demodulate: bool) -> Outputs:
    """The modulated convolution of images, k - 1 rows and columns larger.

    With demodulation the kernel of each output channel and the scales are divided by their root mean square first,
    which changes nothing but rounding: the scales of each example by their own, where the authors' code takes that of
    the whole batch. Without it the scales are divided by the root of the kernel's fan-in.
    """
    size, fan_in = kernel.shape[0], math.prod(kernel.shape[:3])
    if demodulate:
        kernel = kernel * jax.lax.rsqrt((kernel**2).mean(axis=(0, 1, 2), keepdims=True) + EPSILON)
        scales = scales * jax.lax.rsqrt((scales**2).mean(axis=1, keepdims=True) + EPSILON)
    else:
        scales = scales / math.sqrt(fan_in)
    border = (size // 2, size // 2)
    padded = jnp.pad(images, ((0, 0), border, border, (0, 0)))
    return modulated_conv(padded, kernel.astype(images.dtype), scales, demodulate=demodulate)


def filtered(images: Images, layer: Layer) -> Outputs:
    """sqrt(2) leaky ReLU, clamped, between an upsampling and a downsampling filter."""
    up, down = filters(layer)
    images = upfirdn(images, layer.up * up, up=layer.up, padding=layer.padding)
    return upfirdn(activate(images, CLAMP), down, down=layer.down)


def filters(layer: Layer) -> tuple[Taps, Taps]:
    """The taps up, for rows and columns, and down, for these or of both axes; each of sum 1."""
    rate = float(layer.inner_rate)
    up = lowpass(layer.num_taps[0], layer.in_cutoff, layer.in_half_width, rate)
    design = radial_lowpass if layer.radial else lowpass
    return up, design(layer.num_taps[1], layer.cutoff, layer.half_width, rate)


def _frequencies(key: jax.Array, num: int, cutoff: float) -> jax.Array:
    """Uniform in the disc: the square of a Gaussian radius gives the area exp(-r^2 / 2) inside, uniform in [0, 1]."""
    gaussian = jax.random.normal(key, (num, 2))
    radius = jnp.sqrt((gaussian**2).sum(axis=1, keepdims=True))
    return cutoff * gaussian / radius * jnp.exp(-(radius**2) / 4)


def _moved(affine: jax.Array, transforms: Transforms) -> Transforms:
    """R T M: the inverse rotation and translation that (r_c, r_s, t_x, t_y) / |(r_c, r_s)| say, and the user's M."""
    cos, sin, x, y = (affine * jax.lax.rsqrt((affine[:, :2] ** 2).sum(axis=1, keepdims=True) + 1e-12)).T
    zero, one = jnp.zeros_like(cos), jnp.ones_like(cos)
    rotation = jnp.array([[cos, -sin, zero], [sin, cos, zero], [zero, zero, one]])
    translation = jnp.array([[one, zero, -x], [zero, one, -y], [zero, zero, one]])
    return jnp.einsum("ijb,jkb,bkl->bil", rotation, translation, transforms)


def _require(net: StyleGAN3Synthesis, image_shape: Shape) -> None:
    side = image_shape[0]
    square = len(image_shape) == 3 and side == image_shape[1] and side >= 16 and side & (side - 1) == 0
    require(square, "image_shape", image_shape, "(side, side, channels), the side a power of two, at least 16")
    least = f"at least {side}, the side of the image"
    require(net.channel_base >= side, "channel_base", net.channel_base, least)
    require(net.channel_max >= 1, "channel_max", net.channel_max, "at least 1")
    require(1 <= net.num_critical < net.num_layers, "num_critical", net.num_critical, "in [1, num_layers)")
    require(net.first_stopband > net.first_cutoff, "first_stopband", net.first_stopband, "above first_cutoff")
    highest = 2.0 ** (math.ceil(math.log2(min(2 * net.first_stopband, side))) - 1)
    require(0 < net.first_cutoff < highest, "first_cutoff", net.first_cutoff, f"in (0, {highest})")
    require(net.last_stopband > 1, "last_stopband", net.last_stopband, "above 1")
    require(net.margin >= 1, "margin", net.margin, "at least 1")
    require(net.filter_size >= 1, "filter_size", net.filter_size, "at least 1")
    require(net.kernel_size % 2 == 1, "kernel_size", net.kernel_size, "odd")
    require(net.magnitude_half_life > 0, "magnitude_half_life", net.magnitude_half_life, "above 0")
