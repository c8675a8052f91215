"""The Inception v3 of the FID: the network of `inception-2015-12-05`, whose features published FIDs are taken from.

Module by module the names are those of its port to PyTorch, so that parameters and state dict have one tree. It is not
the Inception v3 of torchvision: average pooling counts no padding (blocks A, C and the first E), the last block pools
by the maximum, there are 1008 classes. For inference only: batch normalisation takes its running statistics.

- Szegedy et al.: Rethinking the Inception Architecture for Computer Vision, 2015, arXiv 1512.00567.
- Heusel et al.: GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium, 2017,
  arXiv 1706.08500.
"""

from functools import partial
from typing import Any, Literal

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.nets.convolution_geometry import Pair
from jaxgen.nets.convolution_layers import Conv
from jaxgen.typing import Images

NUM_CLASSES = 1008
"""ImageNet's 1000, and eight that the original training had besides."""

SIZE = 299

_max_pool = partial(nn.max_pool, window_shape=(3, 3), strides=(2, 2))


def _average_pool(images: jax.Array) -> jax.Array:
    """Of 3x3 pixels, as many as lie inside."""
    padding: Any = ((1, 1), (1, 1))  # Flax declares a string
    return nn.avg_pool(images, (3, 3), (1, 1), padding, count_include_pad=False)


class InceptionV3(nn.Module):
    """Images to features at every depth that metrics use.

    Of random parameters too; `experiments.inception` reads the published ones.
    """

    @nn.compact
    def __call__(self, images: Images) -> dict[str, jax.Array]:
        """(N, 299, 299, 3), from `jaxgen.metrics.inception_inputs`, to features by name.

        Names are as in other tools: means over pixels "64", "192", "768", "2048", each (N, that many), of which FID,
        KID and precision take "2048"; "logits_unbiased", without the last layer's bias, of which the Inception score is
        taken, and "logits", (N, 1008). Under `jit` what is not used is not computed.

        Raises:
            ValueError: for images of another shape.
        """
        fits = images.ndim == 4 and images.shape[1:] == (SIZE, SIZE, 3)
        require(fits, "shape of images", images.shape, f"(N, {SIZE}, {SIZE}, 3): use jaxgen.metrics.inception_inputs")
        hidden = BasicConv2d(32, 3, strides=2, name="Conv2d_1a_3x3")(images)
        hidden = BasicConv2d(32, 3, name="Conv2d_2a_3x3")(hidden)
        hidden = _max_pool(BasicConv2d(64, 3, padding=1, name="Conv2d_2b_3x3")(hidden))
        features = {"64": hidden.mean(axis=(1, 2))}
        hidden = BasicConv2d(80, 1, name="Conv2d_3b_1x1")(hidden)
        hidden = _max_pool(BasicConv2d(192, 3, name="Conv2d_4a_3x3")(hidden))
        features["192"] = hidden.mean(axis=(1, 2))
        for name, pool_features in (("Mixed_5b", 32), ("Mixed_5c", 64), ("Mixed_5d", 64)):
            hidden = InceptionA(pool_features, name=name)(hidden)
        hidden = InceptionB(name="Mixed_6a")(hidden)
        for name, channels in (("Mixed_6b", 128), ("Mixed_6c", 160), ("Mixed_6d", 160), ("Mixed_6e", 192)):
            hidden = InceptionC(channels, name=name)(hidden)
        features["768"] = hidden.mean(axis=(1, 2))
        hidden = InceptionD(name="Mixed_7a")(hidden)
        hidden = InceptionE(pool="average", name="Mixed_7b")(hidden)
        hidden = InceptionE(pool="max", name="Mixed_7c")(hidden)
        features["2048"] = hidden.mean(axis=(1, 2))
        return features | Classifier(name="fc")(features["2048"])


class BasicConv2d(nn.Module):
    """Convolution without bias, batch normalisation by running statistics, ReLU."""

    features: int
    kernel_size: Pair
    strides: int = 1
    padding: Pair | int = 0  # zeros on both sides, of rows and of columns

    @nn.compact
    def __call__(self, images: Images) -> jax.Array:
        """(N, height, width, channels) to (N, height, width, features), of other sizes."""
        rows, columns = (self.padding, self.padding) if isinstance(self.padding, int) else self.padding
        padding = (rows, rows), (columns, columns)
        convolved = Conv(self.features, self.kernel_size, self.strides, padding, use_bias=False, name="conv")(images)
        return nn.relu(nn.BatchNorm(use_running_average=True, epsilon=1e-3, name="bn")(convolved))


class InceptionA(nn.Module):
    """Branches of 1x1, 5x5, twice 3x3, and average pooling."""

    pool_features: int

    @nn.compact
    def __call__(self, images: Images) -> jax.Array:
        """(N, height, width, channels) to (N, height, width, 224 + pool_features)."""
        one = BasicConv2d(64, 1, name="branch1x1")(images)
        five = BasicConv2d(48, 1, name="branch5x5_1")(images)
        five = BasicConv2d(64, 5, padding=2, name="branch5x5_2")(five)
        double = BasicConv2d(64, 1, name="branch3x3dbl_1")(images)
        double = BasicConv2d(96, 3, padding=1, name="branch3x3dbl_2")(double)
        double = BasicConv2d(96, 3, padding=1, name="branch3x3dbl_3")(double)
        pool = BasicConv2d(self.pool_features, 1, name="branch_pool")(_average_pool(images))
        return jnp.concatenate([one, five, double, pool], axis=3)


class InceptionB(nn.Module):
    """Half the size: branches of 3x3, twice 3x3, and maximum pooling."""

    @nn.compact
    def __call__(self, images: Images) -> jax.Array:
        """(N, height, width, channels) to half the size, with 480 channels more."""
        three = BasicConv2d(384, 3, strides=2, name="branch3x3")(images)
        double = BasicConv2d(64, 1, name="branch3x3dbl_1")(images)
        double = BasicConv2d(96, 3, padding=1, name="branch3x3dbl_2")(double)
        double = BasicConv2d(96, 3, strides=2, name="branch3x3dbl_3")(double)
        return jnp.concatenate([three, double, _max_pool(images)], axis=3)


class InceptionC(nn.Module):
    """Branches of 1x1, 7x7 and twice 7x7 in rows and columns, and average pooling."""

    channels: int  # between the convolutions of 7

    @nn.compact
    def __call__(self, images: Images) -> jax.Array:
        """(N, height, width, channels) to (N, height, width, 768)."""
        one = BasicConv2d(192, 1, name="branch1x1")(images)
        seven = BasicConv2d(self.channels, 1, name="branch7x7_1")(images)
        seven = BasicConv2d(self.channels, (1, 7), padding=(0, 3), name="branch7x7_2")(seven)
        seven = BasicConv2d(192, (7, 1), padding=(3, 0), name="branch7x7_3")(seven)
        double = BasicConv2d(self.channels, 1, name="branch7x7dbl_1")(images)
        double = BasicConv2d(self.channels, (7, 1), padding=(3, 0), name="branch7x7dbl_2")(double)
        double = BasicConv2d(self.channels, (1, 7), padding=(0, 3), name="branch7x7dbl_3")(double)
        double = BasicConv2d(self.channels, (7, 1), padding=(3, 0), name="branch7x7dbl_4")(double)
        double = BasicConv2d(192, (1, 7), padding=(0, 3), name="branch7x7dbl_5")(double)
        pool = BasicConv2d(192, 1, name="branch_pool")(_average_pool(images))
        return jnp.concatenate([one, seven, double, pool], axis=3)


class InceptionD(nn.Module):
    """Half the size: branches of 3x3, 7x7 then 3x3, and maximum pooling."""

    @nn.compact
    def __call__(self, images: Images) -> jax.Array:
        """(N, height, width, channels) to half the size, with 512 channels more."""
        three = BasicConv2d(192, 1, name="branch3x3_1")(images)
        three = BasicConv2d(320, 3, strides=2, name="branch3x3_2")(three)
        seven = BasicConv2d(192, 1, name="branch7x7x3_1")(images)
        seven = BasicConv2d(192, (1, 7), padding=(0, 3), name="branch7x7x3_2")(seven)
        seven = BasicConv2d(192, (7, 1), padding=(3, 0), name="branch7x7x3_3")(seven)
        seven = BasicConv2d(192, 3, strides=2, name="branch7x7x3_4")(seven)
        return jnp.concatenate([three, seven, _max_pool(images)], axis=3)


class InceptionE(nn.Module):
    """Branches of 1x1, 3x3 and twice 3x3 that end in a row and a column side by side, and pooling."""

    pool: Literal["average", "max"]  # the published graph has one block of each

    @nn.compact
    def __call__(self, images: Images) -> jax.Array:
        """(N, height, width, channels) to (N, height, width, 2048)."""
        one = BasicConv2d(320, 1, name="branch1x1")(images)
        three = BasicConv2d(384, 1, name="branch3x3_1")(images)
        double = BasicConv2d(448, 1, name="branch3x3dbl_1")(images)
        double = BasicConv2d(384, 3, padding=1, name="branch3x3dbl_2")(double)
        ends = [
            BasicConv2d(384, kernel, padding=padding, name=f"{branch}{end}")(hidden)
            for branch, hidden in (("branch3x3_2", three), ("branch3x3dbl_3", double))
            for end, kernel, padding in (("a", (1, 3), (0, 1)), ("b", (3, 1), (1, 0)))
        ]
        same_size = {"strides": (1, 1), "padding": ((1, 1), (1, 1))}
        pooled = _average_pool(images) if self.pool == "average" else _max_pool(images, **same_size)
        return jnp.concatenate([one, *ends, BasicConv2d(192, 1, name="branch_pool")(pooled)], axis=3)


class Classifier(nn.Module):
    """The last layer, with and without its bias."""

    @nn.compact
    def __call__(self, features: jax.Array) -> dict[str, jax.Array]:
        """(N, 2048) to two times (N, 1008)."""
        kernel = self.param("kernel", nn.initializers.lecun_normal(), (features.shape[1], NUM_CLASSES))
        bias = self.param("bias", nn.initializers.zeros, (NUM_CLASSES,))
        unbiased = features @ kernel
        return {"logits_unbiased": unbiased, "logits": unbiased + bias[None]}
