from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.mode import Mode
from jaxgen.nets.kl_autoencoder import LatentDecoder, LatentEncoder, PlainResidualBlock
from tests.exhaustive import exhaustive
from tests.nets.parameters import count, zeros
from tests.nets.traces import PRODUCTS
from tests.programs import operations

MULTIPLIERS = (1, 2, 4)
CODEBOOK = 8192 * 3


@pytest.mark.parametrize(
    ("settings", "image", "latents", "outputs", "wanted"),
    [
        ((), (256, 256, 3), (32, 32, 4), 8, 83_653_863),
        *exhaustive([((128, MULTIPLIERS), (256, 256, 3), (64, 64, 3), 3, 55_322_782 - CODEBOOK)]),
        ((32, MULTIPLIERS, 1), (32, 32, 3), (8, 8, 4), 8, 2_702_087),
    ],
    ids=["KL-f8", "VQ-f4", "small"],
)
def test_parameters_are_as_many_as_in_the_authors_networks(settings, image, latents, outputs, wanted):
    """VQ-f4 has no variance, and a codebook of 8,192 vectors besides."""
    encoder = count(LatentEncoder(*settings), zeros(*image), (*latents[:2], outputs))
    assert encoder + count(LatentDecoder(*settings), zeros(*latents), image) == wanted


@pytest.mark.parametrize("net", [LatentEncoder(4, (1, 2), 1, attention=(4,)), LatentDecoder(4, (1, 2), 1)])
def test_networks_are_told_their_shapes_and_compute_in_halves(net):
    shapes = ((8, 4, 1), (4, 2, 6)) if isinstance(net, LatentEncoder) else ((4, 2, 3), (8, 4, 1))
    net = net.clone(dtype="bfloat16")
    found = jax.eval_shape(lambda: net.init_with_output(jax.random.key(0), zeros(*shapes[0]), shapes[1])[0])
    assert found.shape == (1, *shapes[1]) and found.dtype == jnp.float32
    variables = jax.eval_shape(lambda: net.init(jax.random.key(0), zeros(*shapes[0]), shapes[1]))
    program = jax.make_jaxpr(lambda variables: net.apply(variables, zeros(*shapes[0]), shapes[1]))(variables)
    products = [op for op in operations(program.jaxpr) if op.primitive.name in PRODUCTS]
    assert {value.aval.dtype.name for op in products for value in op.invars} == {"bfloat16"}


def test_attention_stands_at_the_heights_that_are_named_and_in_the_middle():
    net = LatentEncoder(4, (1, 2), 1, attention=(8,))
    params = jax.eval_shape(lambda: net.init(jax.random.key(0), zeros(8, 4, 1), (4, 2, 6)))["params"]
    assert {name for name in params if "attention" in name} == {"down_0_0_attention", "middle_0_attention"}


def test_a_residual_block_without_its_last_convolution_is_its_shortcut_and_draws_with_keys():
    block, maps = PlainResidualBlock(3, dropout=0.5), jax.random.normal(jax.random.key(0), (2, 2, 2, 4))
    params: Any = block.init(jax.random.key(1), maps)["params"]
    silent = params | {"conv_1": jax.tree.map(jnp.zeros_like, params["conv_1"])}
    wanted = maps @ params["shortcut"]["kernel"][0, 0]
    np.testing.assert_allclose(block.apply({"params": silent}, maps), wanted, atol=1e-6)  # pyright: ignore
    with pytest.raises(ValueError, match="dropout draws random numbers in training"):
        block.apply({"params": params}, maps, Mode(train=True))


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (LatentEncoder(4, (1, 2, 2)), r"shape of latents is \(4, 2, 6\), but must be the images' 8x4 halved 2 times"),
        (LatentEncoder(4, ()), r"multipliers is \(\), but must be one or more above 0"),
        (LatentEncoder(0, (1, 2)), r"channels and blocks is \(0, 2\), but must be at least 1"),
        (LatentEncoder(4, (1, 2), attention=(3,)), r"attention is \(3,\), but must be some of \(8, 4\)"),
    ],
)
def test_settings_and_shapes_that_do_not_fit_are_refused(net, message):
    with pytest.raises(ValueError, match=message):
        jax.eval_shape(lambda: net.init(jax.random.key(0), zeros(8, 4, 1), (4, 2, 6)))
