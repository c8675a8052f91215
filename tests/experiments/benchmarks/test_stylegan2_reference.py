"""StyleGAN 2 beside its authors' repository: what it is given, and what is refused. Networks are compared by hand."""

import pytest

from experiments.benchmarks import stylegan2_reference
from experiments.benchmarks.rivals import stylegan2 as rivals
from experiments.benchmarks.stylegan2_reference import Options
from experiments.command_line.errors import UserError

SMALL = Options(size=8, channel_base=16, channel_max=2, latent_dim=3, mapping_layers=1, batch_size=4)


def test_a_cycle_holds_every_penalty_as_often_as_training_and_optimisers_are_corrected_once():
    config = stylegan2_reference.config_of(SMALL)
    assert stylegan2_reference.cycle(config) == 16
    assert config.generator_optimizer.learning_rate == pytest.approx(0.002 * 4 / 5)
    assert config.discriminator_optimizer.rule.b2 == pytest.approx(0.99 ** (16 / 17))


def test_other_numbers_of_parameters_are_no_fair_comparison():
    config = stylegan2_reference.config_of(SMALL)
    with pytest.raises(ValueError, match="no fair comparison"):
        stylegan2_reference.same_parameters(config, rivals.Reference(lambda images: None, 1, 2))
    # mapping 12; constant 32; a layer of 4x4, two of 8x8: kernel 36, affine 8, bias 2, strength 1; colours: 6 + 8 + 3
    generator = 12 + 32 + 3 * 47 + 2 * 17
    # 1x1 from colours 8; 3x3 38 and 38, skip 4; 3x3 of 3 channels 56; dense 66 and 3
    discriminator = 8 + 38 + 38 + 4 + 56 + 66 + 3
    theirs = rivals.Reference(lambda images: None, generator, discriminator)
    assert stylegan2_reference.same_parameters(config, theirs) == (generator, discriminator)


def test_a_folder_that_is_no_checkout_is_refused_and_one_has_to_be_named(tmp_path):
    with pytest.raises(UserError, match=r"is no checkout of stylegan2-ada-pytorch: training/loss\.py is missing"):
        rivals.reference(tmp_path, stylegan2_reference.config_of(SMALL))
    with pytest.raises(UserError, match="name a checkout of NVlabs/stylegan2-ada-pytorch"):
        stylegan2_reference.main([])


@pytest.mark.parametrize(("name", "value"), [("size", 12), ("channel_base", 4), ("batch_size", 6), ("rounds", 0)])
def test_sizes_that_theirs_cannot_have_are_refused(name, value):
    with pytest.raises(ValueError, match=f"--{name.replace('_', '-')} is {value}, but must be"):
        Options(**{name: value})
