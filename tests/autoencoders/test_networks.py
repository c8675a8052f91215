"""Parameter counts: sums of i * o + o and of k * k * i * o + o, as reference and papers have them."""

import jax
import jax.numpy as jnp
import pytest

from jaxgen.autoencoders import networks
from jaxgen.nets.conv_autoencoder import ConvDecoder
from jaxgen.nets.initializers import LeCunNormal, Normal
from jaxgen.nets.mlp import MLP

MNIST = (28, 28, 1)


def counts(pair, image_shape, codes, latent_dim):
    """Parameters of encoder (to `codes` numbers) and decoder."""
    nets = (
        (pair.encoder, jnp.zeros((1, *image_shape)), (codes,)),
        (pair.decoder, jnp.zeros((1, latent_dim)), image_shape),
    )
    return tuple(
        sum(leaf.size for leaf in jax.tree.leaves(jax.eval_shape(lambda n=net: n[0].init(jax.random.key(0), *n[1:]))))
        for net in nets
    )


@pytest.mark.parametrize(
    ("name", "image_shape", "latent_dim", "wanted"),
    [
        ("JODOIN_AUTOENCODER", MNIST, 2, (109_542, 110_324)),
        ("ATIENZA_AUTOENCODER", MNIST, 16, (69_008, 108_993)),
    ],
)
def test_autoencoders_have_the_reference_parameter_counts(name, image_shape, latent_dim, wanted):
    assert counts(getattr(networks, name), image_shape, latent_dim, latent_dim) == wanted


@pytest.mark.parametrize(
    ("name", "image_shape", "latent_dim", "wanted"),
    [
        ("JODOIN", MNIST, 32, (112_896, 111_568)),
        ("LINGRAND_PRECIOSO", MNIST, 28, (215_352, 208_912)),
        ("FLAX_EXAMPLE", MNIST, 20, (412_540, 403_284)),
        ("KINGMA_WELLING", MNIST, 20, (412_540, 403_284)),
        ("ATIENZA_MLP", MNIST, 2, (403_972, 403_728)),
        ("ATIENZA_CONV", MNIST, 2, (69_076, 65_089)),
        ("HIGGINS_DENSE", (64, 64, 1), 10, (6_381_620, 7_814_896)),
        ("HIGGINS_CONV", (64, 64, 1), 10, (382_932, 381_313)),
        ("HIGGINS_CONV", (64, 64, 3), 32, (395_264, 387_971)),
        ("KIM_MNIH", (64, 64, 1), 10, (249_172, 247_873 + 960)),  # a bias for each number of the first map, not channel
        ("BURGESS", (64, 64, 1), 10, (252_052, 249_953)),
        # 784-200-200-100 and 50-200-200-784, by hand.
        (
            "BURDA",
            MNIST,
            50,
            (784 * 200 + 200 + 200 * 200 + 200 + 200 * 100 + 100, 50 * 200 + 200 + 40_200 + 201 * 784),
        ),
    ],
)
def test_variational_networks_have_the_reference_parameter_counts(name, image_shape, latent_dim, wanted):
    """With a mean and a log-variance for each latent."""
    assert counts(getattr(networks, name), image_shape, 2 * latent_dim, latent_dim) == wanted


def test_a_fully_convolutional_pair_has_no_dense_layer():
    """28 -> 14 -> 7 and a map of 2 channels: 98 codes."""
    conv = lambda i, o: 9 * i * o + o  # noqa: E731
    encoder = conv(1, 32) + conv(32, 64) + conv(64, 2)
    decoder = conv(2, 64) + conv(64, 64) + conv(64, 32) + conv(32, 1)
    assert counts(networks.FULLY_CONVOLUTIONAL, MNIST, 98, 98) == (encoder, decoder)


TANH = {"KINGMA_WELLING": (True, True), "BURDA": (True, True), "HIGGINS_DENSE": (False, True)}


def test_what_counts_of_parameters_do_not_show():
    """Where the papers have a tanh, weights from N(0, 0.01^2), and a linear smallest map before a sigmoid."""
    pairs = {name: value for name, value in vars(networks).items() if isinstance(value, networks.Pair)}
    for name, pair in pairs.items():
        for place, net in enumerate(pair):
            net = getattr(net, "net", net)  # inside a condition
            if isinstance(net, MLP):
                assert (net.activation == "tanh") == TANH.get(name, (False, False))[place], name
                assert net.initializer == (Normal(0.01) if name == "KINGMA_WELLING" else LeCunNormal()), name
            elif isinstance(net, ConvDecoder):
                assert net.linear_map == (name in ("ATIENZA_AUTOENCODER", "FULLY_CONVOLUTIONAL")), name
