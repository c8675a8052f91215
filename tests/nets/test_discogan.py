"""DiscoGAN's networks: sizes of the authors' code, one score for an image, refused sizes."""

import jax
import pytest

from jaxgen.nets.discogan import DiscoGANDiscriminator, DiscoGANTranslator, widths_of
from tests.nets.parameters import count, zeros


@pytest.mark.parametrize(("bottleneck", "wanted"), [(0, 5_513_856), (100, 7_153_480)])
def test_parameter_counts_of_the_translator_are_those_of_the_authors_code(bottleneck, wanted):
    assert count(DiscoGANTranslator(bottleneck=bottleneck), zeros(64, 64, 3), (64, 64, 3)) == wanted


def test_the_discriminator_has_the_authors_size_one_score_and_three_maps():
    assert count(DiscoGANDiscriminator(), zeros(64, 64, 3)) == 2_765_568
    net = DiscoGANDiscriminator()
    scores, maps = jax.eval_shape(lambda: net.init_with_output(jax.random.key(0), zeros(64, 64, 3))[0])
    assert scores.shape == (1, 1, 1)
    assert [each.shape for each in maps] == [(1, 16, 16, 128), (1, 8, 8, 256), (1, 4, 4, 512)]


def test_widths_double_up_to_eight_times_the_first():
    assert widths_of(64, 6) == [64, 128, 256, 512, 512, 512]


def test_sizes_that_do_not_halve_are_refused():
    with pytest.raises(ValueError, match="size of the images is 24x32, but must be a multiple of 16x16"):
        DiscoGANTranslator().init(jax.random.key(0), zeros(24, 32, 3), (24, 32, 3))
    with pytest.raises(ValueError, match="at least 64x64, for 4 halvings"):
        DiscoGANTranslator(bottleneck=1).init(jax.random.key(0), zeros(32, 32, 3), (32, 32, 3))
    with pytest.raises(ValueError, match="at least 64x64, for 4 halvings"):
        DiscoGANDiscriminator().init(jax.random.key(0), zeros(32, 32, 3))
    with pytest.raises(ValueError, match="as the inputs are"):
        DiscoGANTranslator(downs=2).init(jax.random.key(0), zeros(8, 8, 3), (16, 16, 3))
    with pytest.raises(ValueError, match=r"channels, downs is \(64, 1\)"):
        DiscoGANTranslator(downs=1).init(jax.random.key(0), zeros(8, 8, 3), (8, 8, 3))
    with pytest.raises(ValueError, match=r"output_shape is \(2,\)"):
        DiscoGANDiscriminator().init(jax.random.key(0), zeros(64, 64, 3), (2,))
