"""CycleGAN beside its authors' repository: what it is given, and what is refused. The networks are compared by hand."""

import jax
import numpy as np
import pytest

from experiments.benchmarks import cyclegan_reference
from experiments.benchmarks.cyclegan_reference import Options
from experiments.benchmarks.rivals import cyclegan as rivals
from experiments.command_line.errors import UserError
from jaxgen.translation import cyclegan


def test_their_options_are_our_settings():
    config = cyclegan_reference.config_of(Options(size=64, blocks=9, channels=16, layers=2))
    found = vars(rivals._options(config, "cpu"))
    wanted = {"netG": "resnet_9blocks", "ngf": 16, "ndf": 16, "netD": "n_layers", "n_layers_D": 2, "input_nc": 3}
    wanted |= {"lambda_A": 10.0, "lambda_identity": 0.5, "pool_size": 50, "lr": 2e-4, "beta1": 0.5, "no_dropout": True}
    assert wanted.items() <= found.items()


def test_a_folder_that_is_no_checkout_is_refused(tmp_path):
    config = cyclegan_reference.config_of(Options(size=8, channels=2, layers=1))
    pytest.importorskip("torch")
    with pytest.raises(UserError, match="is no checkout of pytorch-CycleGAN-and-pix2pix"):
        rivals.reference(tmp_path, config, jax.eval_shape(lambda: cyclegan.init(config, jax.random.key(0))))


def test_a_checkout_has_to_be_named():
    with pytest.raises(UserError, match="name a checkout of junyanz"):
        cyclegan_reference.main([])


@pytest.mark.exhaustive
def test_losses_stand_side_by_side_update_by_update():
    config = cyclegan_reference.config_of(Options(size=8, channels=2, layers=1))
    state = jax.jit(cyclegan.init, static_argnums=0)(config, jax.random.key(0))
    num = sum(leaf.size for player in (state.generator, state.discriminator) for leaf in jax.tree.leaves(player.params))
    seen = []
    theirs = rivals.Reference(
        lambda a, b: seen.append((a, b)), lambda: dict.fromkeys(cyclegan_reference.LOSSES, 0.25), num
    )
    images = np.full((2, 1, 8, 8, 3), 255, np.uint8)
    lines = cyclegan_reference.losses(config, state, theirs, images, 2)
    assert len(lines) == 3 and len(seen) == 2 and lines[1].split()[2] == "0.25000"
    np.testing.assert_array_equal(seen[0][0], 1)
    with pytest.raises(ValueError, match="no fair comparison"):
        cyclegan_reference.losses(config, state, theirs._replace(parameters=1), images, 1)
