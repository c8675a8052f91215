"""pix2pix's networks: sizes of the authors' code, patches by the support of a gradient, refused sizes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.mode import Mode
from jaxgen.nets.pix2pix import PatchDiscriminator, PixelDiscriminator, UNetTranslator
from tests.nets.parameters import count, zeros


@pytest.mark.parametrize(
    ("settings", "side", "wanted"),
    [({}, 256, 54_413_955), ({"norm": "instance"}, 256, 54_409_603), ({"downs": 7}, 128, 41_828_995)],
)
def test_parameter_counts_of_the_u_net_are_those_of_the_authors_code(settings, side, wanted):
    assert count(UNetTranslator(**settings), zeros(side, side, 3), (side, side, 3)) == wanted


@pytest.mark.parametrize(
    ("layers", "wanted"), [(1, 139_585), (2, 666_433), (3, 2_768_705), (4, 6_964_033), (5, 11_159_361)]
)
def test_parameter_counts_of_the_patch_discriminator_are_those_of_the_authors_code(layers, wanted):
    assert count(PatchDiscriminator(layers=layers), zeros(256, 256, 6)) == wanted


def test_parameter_counts_with_an_instance_norm_are_those_of_cyclegan():
    assert count(PatchDiscriminator(norm="instance"), zeros(256, 256, 3)) == 2_764_737


@pytest.mark.parametrize(("side", "scores"), [(256, 30), (128, 14), (64, 6), (32, 2)])
def test_the_map_of_scores_has_the_size_of_the_authors_code(side, scores):
    shape = jax.eval_shape(lambda: PatchDiscriminator().init_with_output(jax.random.key(0), zeros(side, side, 6))[0])
    assert shape.shape == (1, scores, scores)


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("net", "side", "field"),
    [
        (PatchDiscriminator(channels=2, layers=1, norm="none"), 32, 16),
        (PatchDiscriminator(channels=2, layers=3, norm="none"), 128, 70),
        (PixelDiscriminator(channels=2, norm="none"), 8, 1),
    ],
    ids=["16", "70", "pixel"],
)
def test_a_score_depends_on_one_patch(net, side, field):
    """Of pixels all around its place, as many rows and columns as the paper's name says."""
    images = jax.random.normal(jax.random.key(0), (1, side, side, 1))
    variables = net.init(jax.random.key(1), images)
    middle = net.apply(variables, images).shape[1] // 2
    slope = jax.grad(lambda images: net.apply(variables, images)[0, middle, middle])(images)
    rows = np.flatnonzero(np.abs(np.asarray(slope)[0, :, :, 0]).max(axis=1))
    columns = np.flatnonzero(np.abs(np.asarray(slope)[0, :, :, 0]).max(axis=0))
    assert rows[-1] - rows[0] + 1 == columns[-1] - columns[0] + 1 == field


def test_dropout_lies_on_the_narrow_maps_between_the_innermost_and_the_four_largest():
    """As many as halvings less five: none for five halvings, one for six."""
    for downs, side, num in ((5, 32, 0), (6, 64, 1), (7, 128, 2)):
        net, images = UNetTranslator(channels=1, downs=downs, norm="none"), jnp.ones((1, side, side, 1))
        mode = Mode(keys=jax.random.split(jax.random.key(0), 1), train=True)
        program = jax.make_jaxpr(
            lambda net=net, images=images, mode=mode: net.init(jax.random.key(0), images, images.shape[1:], mode=mode)
        )()
        plain = jax.make_jaxpr(lambda net=net, images=images: net.init(jax.random.key(0), images, images.shape[1:]))()
        drawn = [str(each).count("select_n") for each in (program, plain)]
        assert (drawn[0] > drawn[1]) == (num > 0)


def test_sizes_that_do_not_halve_are_refused():
    with pytest.raises(
        ValueError, match=r"size of the inputs is 48x64, but must be a multiple of 64x64 for 6 halvings"
    ):
        UNetTranslator(downs=6).init(jax.random.key(0), zeros(48, 64, 3), (48, 64, 3))
    with pytest.raises(ValueError, match="as the inputs are"):
        UNetTranslator(downs=2).init(jax.random.key(0), zeros(8, 8, 3), (16, 16, 3))
    with pytest.raises(ValueError, match="at least 24 for 3 layers"):
        PatchDiscriminator().init(jax.random.key(0), zeros(16, 16, 3))
    for net in (PatchDiscriminator(), PixelDiscriminator()):
        with pytest.raises(ValueError, match=r"output_shape is \(2,\)"):
            net.init(jax.random.key(0), zeros(32, 32, 3), (2,))


@pytest.mark.parametrize(("norm", "biases"), [("batch", {"Conv_0"}), ("instance", {"Conv_0", "Conv_1", "Conv_2"})])
def test_of_pixel_scores_a_batch_norm_takes_the_biases_from_the_convolutions(norm, biases):
    params = PixelDiscriminator(2, norm=norm).init(jax.random.key(0), zeros(4, 4, 3))["params"]
    assert {name for name, layer in params.items() if name.startswith("Conv") and "bias" in layer} == biases


@pytest.mark.exhaustive
def test_images_need_not_be_squares():
    outputs, _ = UNetTranslator(channels=2, downs=3).init_with_output(jax.random.key(0), zeros(16, 24, 1), (16, 24, 2))
    assert outputs.shape == (1, 16, 24, 2)
