"""SNGAN beside mimicry: what it is given, and what is refused. The networks are compared by hand."""

import jax
import numpy as np
import pytest

from experiments.benchmarks import sngan_mimicry
from experiments.benchmarks.rivals import mimicry
from experiments.benchmarks.sngan_mimicry import Options
from experiments.command_line.errors import UserError
from jaxgen.gans import gan
from jaxgen.train_state import players

SMALL = Options(generator_channels=3, discriminator_channels=2, discriminator_steps=2, blocks=2, block=5)


def test_our_settings_are_the_published_ones_at_other_widths_with_the_last_bias_of_theirs():
    config = sngan_mimicry.config_of(SMALL)
    assert config.generator.channels == (3, 3, 3, 3) and config.discriminator.net.channels == 2
    assert config.discriminator.net.last_bias and config.discriminator.net.pool == "sum"
    assert (config.discriminator_steps, config.minibatches) == (2, 2)
    assert (config.generator_optimizer.schedule.end, config.discriminator_optimizer.schedule.end) == (10, 20)


def test_published_widths_have_the_published_numbers_of_parameters():
    """Of mimicry's SNGANGenerator32 and SNGANDiscriminator32."""
    config = sngan_mimicry.config_of(Options(generator_channels=256, discriminator_channels=128))
    state = jax.eval_shape(lambda: gan.init(config, jax.random.key(0)))
    found = {name: sum(leaf.size for leaf in jax.tree.leaves(player.params)) for name, player in players(state).items()}
    assert found == {"generator": 4_276_739, "discriminator": 1_053_825}


@pytest.mark.exhaustive
def test_both_are_given_the_same_minibatches():
    config, seen = sngan_mimicry.config_of(SMALL), []
    theirs = mimicry.Reference(seen.append, lambda num: np.zeros((num, 2, 2, 3)), dict, 1)
    training = sngan_mimicry._theirs(theirs, config)
    batch = np.broadcast_to(np.array([0, 255, 0, 255], np.uint8)[None, :, None, None, None], (3, 4, 2, 2, 3))
    training.block(batch)
    assert len(seen) == 3 and seen[0].shape == (2, 2, 2, 2, 3)
    assert (seen[0][0] == -1).all() and (seen[0][1] == 1).all()
    assert (training.samples(2) == 128).all()
    with pytest.raises(ValueError, match="no fair comparison"):
        sngan_mimicry._ours(config, 0, 1)


def test_a_folder_that_is_no_checkout_is_refused(tmp_path):
    pytest.importorskip("torch")
    with pytest.raises(UserError, match=r"is no checkout of mimicry: .*sngan_32\.py is missing"):
        mimicry.reference(tmp_path, sngan_mimicry.config_of(SMALL), 10, 0)


def test_a_checkout_has_to_be_named():
    with pytest.raises(UserError, match="name a checkout of kwotsin/mimicry"):
        sngan_mimicry.main([])
