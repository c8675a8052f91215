"""Settings of networks, and shapes, at the bound of what is taken and beyond it; nothing is computed."""

import jax
import jax.numpy as jnp
import pytest

from jaxgen.mode import Mode
from jaxgen.nets.acgan import ACGANDiscriminator, ACGANGenerator
from jaxgen.nets.attention import Attention
from jaxgen.nets.began import BEGANAutoencoder, BEGANDecoder
from jaxgen.nets.classifier import ConvClassifier
from jaxgen.nets.conditional_mlp import ConditionalMLPDiscriminator
from jaxgen.nets.conv import ConvCritic, ConvGenerator
from jaxgen.nets.conv_autoencoder import ConvDecoder, ConvEncoder
from jaxgen.nets.courses.atienza import AtienzaDiscriminator, AtienzaGenerator
from jaxgen.nets.courses.fidle import FidleDiscriminator, FidleGenerator
from jaxgen.nets.courses.lanham import LanhamCritic, LanhamGenerator
from jaxgen.nets.dcgan import DCGANDiscriminator, DCGANGenerator
from jaxgen.nets.diff_augment import DiffAugment
from jaxgen.nets.grid import GridDecoder, GridEncoder
from jaxgen.nets.infogan import InfoGANDiscriminator, InfoGANGenerator
from jaxgen.nets.instance_noise import InstanceNoise
from jaxgen.nets.lsgan import LSGANDiscriminator, LSGANGenerator
from jaxgen.nets.maxout import Maxout
from jaxgen.nets.mlp import MLP
from jaxgen.nets.pixelcnn import PixelCNN
from jaxgen.nets.r3gan import R3GANDiscriminator, R3GANGenerator
from jaxgen.nets.resnet import FlatResNetCritic, ResNetCritic, ResNetGenerator
from jaxgen.nets.sngan import SNGANDiscriminator, SNGANGenerator
from jaxgen.nets.spectral import Spectral

LATENTS, MAPS, IMAGES = jnp.ones((2, 3)), jnp.ones((2, 4, 4, 4)), jnp.ones((2, 16, 16, 1))
IMAGE, CODE, CODES = (16, 16, 1), (4, 4, 4), jnp.ones((2, 3, 4), jnp.int32)


def built(net, inputs, *shape):
    inputs = inputs if isinstance(inputs, tuple) else (inputs,)
    options = {} if isinstance(net, Attention) else {"mode": Mode()}
    return jax.eval_shape(lambda: net.init_with_output(jax.random.key(0), *inputs, *shape, **options))


# A network whose settings are as small as they may be, what it takes, and settings too small with what is said of them.
SETTINGS = [
    (Attention(1, 1), (MAPS,), {"heads": 0}, "heads is 0, but must be a divisor of 1 features"),
    (ConvClassifier(1, 1), (IMAGES, (2,)), {"width": 0}, "width is 0, but must be at least 1"),
    (
        ConditionalMLPDiscriminator(1, 1, 1, 1, 1),
        ((IMAGES, LATENTS), ()),
        {"pieces": 0},
        r"\(0, 1\), but .* at least 1",
    ),
    (
        ConditionalMLPDiscriminator(1, 1, 1, 1, 1),
        ((IMAGES, LATENTS), ()),
        {"joint_pieces": 0},
        r"\(1, 0\), but must be at least 1",
    ),
    (BEGANDecoder(1), (LATENTS, IMAGE), {"channels": 0}, "channels is 0, but must be at least 1"),
    (BEGANAutoencoder(1, 1), (IMAGES, IMAGE), {"channels": 0}, "channels is 0, but must be at least 1"),
    (BEGANAutoencoder(1, 1), (IMAGES, IMAGE), {"code_dim": 0}, "code_dim is 0, but must be at least 1"),
    (ConvGenerator(1), (LATENTS, IMAGE), {"channels": 0}, "channels is 0, but must be at least 1"),
    (ConvCritic(1), (IMAGES, ()), {"channels": 0}, "channels is 0, but must be at least 1"),
    (ConvEncoder((1,), features=(1,)), (IMAGES, (1,)), {"channels": ()}, r"channels is \(\), but must be one width"),
    (ConvEncoder((1,), features=(1,)), (IMAGES, (1,)), {"channels": (0,)}, r"\(0, 1\), but must be positive widths"),
    (ConvEncoder((1,), features=(1,)), (IMAGES, (1,)), {"features": (0,)}, r"\(1, 0\), but must be positive widths"),
    (ConvEncoder((1,), features=(1,)), (IMAGES, (1,)), {"bottleneck": "map"}, r"features is \(1,\), but must be \(\)"),
    (ConvDecoder((1,), features=(1,)), (LATENTS, IMAGE), {"channels": (0,)}, r"\(0, 1\), but must be positive widths"),
    (GridEncoder(2, 0, 1), (IMAGES, CODE), {"channels": 1}, "channels is 1, but must be a multiple of 2"),
    (GridEncoder(1, 0, 1), (MAPS, CODE), {"channels": 0}, "channels is 0, but must be a multiple of 1"),
    (GridDecoder(2, 0, 1), (MAPS, IMAGE), {"channels": 1}, "channels is 1, but must be a multiple of 2"),
    (InstanceNoise(MLP((1,)), 0.0, 0), (LATENTS, ()), {"std": -0.1}, "std is -0.1, but must be at least 0"),
    (InstanceNoise(MLP((1,)), 0.0, 0), (LATENTS, ()), {"end": -1}, "end is -1, but must be at least 0"),
    (
        DiffAugment(MLP((1,)), True, 0.0, 0.0),
        (IMAGES, ()),
        {"translation": -0.1},
        "translation is -0.1, but must be in",
    ),
    (DiffAugment(MLP((1,)), True, 0.0, 0.0), (IMAGES, ()), {"cutout": -0.1}, "cutout is -0.1, but must be in"),
    (LSGANGenerator((1, 1), (2,)), (LATENTS, IMAGE), {"features": (1,)}, r"features is \(1,\), but must be one more"),
    (Maxout((1,), 1), (LATENTS, ()), {"pieces": 0}, "pieces is 0, but must be at least 1"),
    (MLP((1,)), (LATENTS, ()), {"features": (0,)}, r"features is \(0,\), but must be positive widths"),
    (PixelCNN(1, 1, 1), (CODES, (3, 4, 1)), {"channels": 0}, "channels is 0, but must be at least 1"),
    (PixelCNN(1, 1, 1), (CODES, (3, 4, 1)), {"layers": 0}, "layers is 0, but must be at least 1"),
    (PixelCNN(1, 1, 1), (CODES, (3, 4, 1)), {"reach": 0}, "reach is 0, but must be at least 1"),
    (R3GANGenerator((1,), (1,), 1, 1), (LATENTS, IMAGE), {"channels": (0,)}, r"channels is \(0,\), but must be one or"),
    (R3GANGenerator((1,), (1,), 1, 1), (LATENTS, IMAGE), {"blocks": 0}, "blocks is 0, but must be at least 1"),
    (R3GANGenerator((1,), (1,), 1, 1), (LATENTS, IMAGE), {"embedding": 0}, "embedding is 0, but must be at least 1"),
    (R3GANDiscriminator((1,), (1,), 1), (IMAGES, ()), {"groups": (0,)}, "feature_groups is 0, but must be a divisor"),
    (ResNetGenerator((1, 1)), (LATENTS, IMAGE), {"channels": (1, 0)}, r"channels is \(1, 0\), but must be positive"),
    (ResNetCritic(1, 0), (IMAGES, ()), {"channels": 0}, "channels is 0, but must be at least 1"),
    (Spectral(MLP((1,)), 1), (LATENTS, ()), {"steps": 0}, "^steps is 0, but must be at least 1"),
]


@pytest.mark.parametrize(
    ("net", "inputs", "smaller", "message"), SETTINGS, ids=[type(net).__name__ for net, *_ in SETTINGS]
)
def test_settings_are_taken_at_their_bound_and_refused_below_it(net, inputs, smaller, message):
    built(net, *inputs)
    with pytest.raises(ValueError, match=message):
        built(net.clone(**smaller), *inputs)


SIDES = r"image shape is .*, but must be of sides that "
MULTIPLE = r"size of images is (18x16|16x18), but must be a multiple of 4x4"
# Networks that give images, then those that take them, and what is said of images of 18x16 and of 16x18.
SHAPES = [
    (ACGANGenerator((1, 1)), SIDES + "divide by 4"),
    (AtienzaGenerator(1), MULTIPLE),
    (ConvGenerator(1), None),
    (ConvDecoder((1, 1, 1)), SIDES + "4 divides, for 3 maps"),
    (DCGANGenerator(1), None),
    (FidleGenerator(1), MULTIPLE),
    (InfoGANGenerator(1, 1), SIDES + "divide by 4"),
    (LanhamGenerator(1), MULTIPLE),
    (LSGANGenerator((1, 1), (4,)), r"image size is \((18, 16|16, 18)\), but must be a multiple of 4"),
    (R3GANGenerator((1, 1, 1), (1, 1, 1), 1), SIDES + "halve 2 times"),
    (ResNetGenerator((1, 1, 1)), SIDES + "halve 2 times"),
    (SNGANGenerator(1), SIDES + "divide by 8"),
    (ACGANDiscriminator((1,)), None),
    (AtienzaDiscriminator(1), None),
    (ConvCritic(1), None),
    (ConvEncoder((1,)), None),
    (DCGANDiscriminator(1), None),
    (FidleDiscriminator(1), None),
    (R3GANDiscriminator((1, 1, 1), (1, 1, 1), 1), SIDES + "halve 2 times"),
    (FlatResNetCritic((1, 1, 1)), SIDES + "halve 2 times"),
    (InfoGANDiscriminator(1, 1, 1), SIDES + "divide by 4"),
    (LanhamCritic(1), None),
    (LSGANDiscriminator(1), None),
    (SNGANDiscriminator(1), SIDES + "divide by 8"),
]


@pytest.mark.parametrize(("net", "message"), SHAPES, ids=[type(net).__name__ for net, _ in SHAPES])
def test_images_have_three_axes_and_sides_that_fit(net, message):
    """Either side may be the one that does not."""

    def with_images(*shape):
        if "Generator" in type(net).__name__ or "Decoder" in type(net).__name__:
            return built(net, LATENTS, shape)
        return built(net, jnp.ones((2, *shape)), (3,))

    for shape in ((16, 1), (2, 8, 8, 1)):
        with pytest.raises(ValueError, match=r"shape.* is \(.*, but must be \((batch, )?height, width, channels\)"):
            with_images(*shape)
    for shape in ((18, 16, 1), (16, 18, 1)):
        if message is None:
            with_images(*shape)
        else:
            with pytest.raises(ValueError, match=message):
                with_images(*shape)


def test_infogans_discriminator_gives_a_score_and_an_output_of_q_at_least():
    net = InfoGANDiscriminator(1, 1, 1)
    assert built(net, IMAGES, (2,))[0].shape == (2, 2)
    for shape in ((1,), (), (2, 2)):
        with pytest.raises(ValueError, match=r"output_shape is \(.*\), but must be \(1 \+ outputs of Q,\)"):
            built(net, IMAGES, shape)


def test_a_classifier_tells_two_classes_at_least():
    assert built(ConvClassifier(1, 1), IMAGES, (2,))[0]["logits"].shape == (2, 2)
    for shape in ((1,), (), (2, 2)):
        with pytest.raises(ValueError, match=r"output_shape is \(.*\), but must be \(classes,\), at least 2"):
            built(ConvClassifier(1, 1), IMAGES, shape)
