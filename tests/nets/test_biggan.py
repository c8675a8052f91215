"""BigGAN's networks: sizes, laws of class and latents, spectral normalisation, precision, what is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.batches import Labelled
from jaxgen.gans import cgan
from jaxgen.nets.biggan import (
    DISCRIMINATOR_64,
    DISCRIMINATOR_128,
    DISCRIMINATOR_CIFAR,
    GENERATOR_CIFAR,
    MULTIPLIERS_64,
    MULTIPLIERS_256,
    BigGANGenerator,
)
from jaxgen.nets.initializers import Normal, Orthogonal
from jaxgen.nets.projection import ProjectionDiscriminator
from jaxgen.nets.spectral import Spectral
from jaxgen.priors import Uniform
from tests.nets.adversaries import (
    CLASSES,
    LATENTS,
    begun,
    check_finite_and_reached,
    check_half_precision,
    check_remat,
    images,
    largest_singular_value,
    outputs,
    power_method,
    weights_inside,
)
from tests.nets.parameters import count, zeros

GENERATOR = BigGANGenerator(8, (2, 2, 1, 1), attention=(16,), embedding=4, initializer=Normal(0.3))  # 8 latents: 4 x 2
SMALL = GENERATOR.clone(multipliers=(2, 1), attention=(8,))  # 8 latents: 2 x 4
INPUTS, SMALL_INPUTS = (LATENTS, CLASSES, (32, 32, 3)), (LATENTS, CLASSES, (8, 8, 3))
FEATURES = DISCRIMINATOR_128.features.clone(channels=(8, 8, 16), halvings=2, attention=(8,))


def shapes(net, *inputs):
    return jax.eval_shape(lambda: net.init_with_output(jax.random.key(0), *inputs))


@pytest.mark.exhaustive
def test_parameter_counts_of_the_paper():
    """Its table 1 says, of both players in millions: 173.5; 160.6 with a shared embedding; 158.3 with chunks as well.

    These are for 128 latents in the first two, and without the embedding's 0.128 in the last two.
    """
    inputs = zeros(1000), (128, 128, 3)
    discriminator = count(Spectral(DISCRIMINATOR_128), zeros(128, 128, 3), zeros(1000))
    generator = count(Spectral(BigGANGenerator(), exempt=("embedding",)), zeros(120), *inputs)
    assert (generator, discriminator) == (70_433_988, 87_982_370)
    tables = count(BigGANGenerator(embedding=None, hierarchical=False), zeros(128), *inputs)
    shared = count(BigGANGenerator(hierarchical=False), zeros(128), *inputs)
    millions = [(tables + discriminator) / 1e6]
    millions += [(each + discriminator - 128_000) / 1e6 for each in (shared, generator)]
    np.testing.assert_allclose(millions, [173.5, 160.6, 158.3], atol=0.05)


def test_networks_for_cifar_have_256_channels_and_the_scripts_layers():
    """Three blocks with tables of ten classes; a discriminator of four blocks, two of which halve."""
    block = 2 * (9 * 256**2 + 256) + (256**2 + 256)
    generator = (128 * 4096 + 4096) + 3 * (block + 2 * 2 * 10 * 256) + 2 * 256 + (9 * 256 * 3 + 3)
    assert count(GENERATOR_CIFAR, zeros(128), zeros(10), (32, 32, 3)) == generator == 4_304_387
    first = (27 * 256 + 256) + (9 * 256**2 + 256) + (3 * 256 + 256)
    discriminator = first + block + 2 * 2 * (9 * 256**2 + 256) + 257 + 10 * 256
    assert count(DISCRIMINATOR_CIFAR, zeros(32, 32, 3), zeros(10)) == discriminator == 4_207_361
    for net in (GENERATOR_CIFAR, DISCRIMINATOR_CIFAR, DISCRIMINATOR_CIFAR.features):
        assert net.initializer == Normal(0.02)


@pytest.mark.exhaustive
def test_networks_for_64x64_and_256x256_fit_their_images():
    for multipliers, side, size in ((MULTIPLIERS_64, 64, 120), (MULTIPLIERS_256, 256, 140)):
        net = BigGANGenerator(8, multipliers)
        assert shapes(net, zeros(size), zeros(5), (side, side, 3))[0].shape == (1, side, side, 3)
    assert shapes(DISCRIMINATOR_64, zeros(64, 64, 3), zeros(5))[0].shape == (1,)
    for net in (DISCRIMINATOR_64, DISCRIMINATOR_128):
        assert net.features.wide and net.initializer == net.features.initializer == Orthogonal()


@pytest.mark.exhaustive
@pytest.mark.parametrize("net", [GENERATOR, GENERATOR.clone(embedding=None, hierarchical=False)], ids=["shared", "own"])
def test_outputs_and_gradients_of_a_generator_are_finite_and_reach_every_parameter(net):
    exempt = ("embedding",) if net.embedding else ("scale", "offset")
    check_finite_and_reached(Spectral(net, exempt=exempt), *INPUTS)


@pytest.mark.exhaustive
def test_outputs_and_gradients_of_a_discriminator_are_finite_and_reach_every_parameter():
    net = Spectral(DISCRIMINATOR_128.clone(features=FEATURES))
    check_finite_and_reached(net, images(32, 32), CLASSES)


def flat_images(variables, latents=LATENTS, classes=CLASSES, net=GENERATOR):
    return outputs(net, variables, latents, classes, (32, 32, 3)).reshape(3, -1)


@pytest.mark.exhaustive
def test_the_class_changes_images_by_the_embedding_alone():
    variables, other = begun(GENERATOR, *INPUTS), jnp.roll(CLASSES, 1, axis=1)
    changed = flat_images(variables, classes=other) - flat_images(variables)
    assert np.abs(changed).max(1).min() > 1e-3
    params = variables["params"] | {"embedding": {"kernel": jnp.zeros((3, 4))}}
    without = variables | {"params": params}
    np.testing.assert_array_equal(flat_images(without, classes=other), flat_images(without))


def test_each_block_gets_the_embedding_and_a_chunk_of_its_own():
    """A chunk changes nothing where the rows of its block's maps are zeros, and the others still do."""
    variables = begun(GENERATOR, *INPUTS)
    params = variables["params"]
    assert params["Dense_0"]["kernel"].shape[0] == 2
    for level in range(3):
        block = dict(params[f"ResidualBlock_{level}"])
        for norm in ("ConditionalBatchNorm_0", "ConditionalBatchNorm_1"):
            maps = block[norm]
            assert maps["scale"]["kernel"].shape[0] == 4 + 2
            block[norm] = jax.tree.map(lambda kernel: kernel.at[4:].set(0.0), maps)
        cut = variables | {"params": params | {f"ResidualBlock_{level}": block}}
        for chunk in range(4):
            moved = LATENTS.at[:, 2 * chunk : 2 * chunk + 2].add(1.0)
            difference = np.abs(flat_images(cut, moved) - flat_images(cut)).max()
            assert (difference == 0) == (chunk == level + 1), (level, chunk)


def test_zero_maps_leave_plain_batch_norm():
    """Gains are centred at 1: without W and V, classes and chunks change nothing, and images are not flat."""
    variables = begun(SMALL, *SMALL_INPUTS)

    def without_maps(path, leaf):
        return jnp.zeros_like(leaf) if "ConditionalBatchNorm" in jax.tree_util.keystr(path) else leaf

    params = jax.tree_util.tree_map_with_path(without_maps, variables["params"])
    plain = variables | {"params": params}
    moved = LATENTS.at[:, 4:].add(1.0), jnp.roll(CLASSES, 1, axis=1), (8, 8, 3)
    found = outputs(SMALL, plain, *SMALL_INPUTS)
    np.testing.assert_array_equal(found, outputs(SMALL, plain, *moved))
    assert found.std() > 1e-2


@pytest.mark.exhaustive
def test_spectral_normalisation_leaves_the_embedding_and_divides_all_else():
    net = Spectral(SMALL, exempt=("embedding",))
    first = begun(net, *SMALL_INPUTS)
    weights = weights_inside(net, power_method(net, first, *SMALL_INPUTS), *SMALL_INPUTS)
    np.testing.assert_array_equal(weights.pop("embedding/kernel"), first["params"]["inner"]["embedding"]["kernel"])
    assert len(weights) == 1 + 3 + 2 * 2 + 4 + 1
    for name, weight in weights.items():
        assert largest_singular_value(weight) == pytest.approx(1, abs=0.02), name


def test_weights_begin_orthogonal():
    net = SMALL.clone(initializer=Orthogonal())
    params = jax.jit(lambda: net.init(jax.random.key(0), *SMALL_INPUTS))()["params"]
    for path, leaf in jax.tree_util.tree_leaves_with_path(params):
        if leaf.ndim > 1:
            matrix = np.asarray(leaf).reshape(-1, leaf.shape[-1])
            matrix = matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T
            np.testing.assert_allclose(matrix.T @ matrix, np.eye(matrix.shape[1]), atol=1e-5, err_msg=str(path))


@pytest.mark.exhaustive
def test_rematerialisation_changes_nothing():
    check_remat(SMALL, *SMALL_INPUTS)


@pytest.mark.exhaustive
def test_half_precision_is_close_to_single():
    check_half_precision(SMALL, *SMALL_INPUTS)


@pytest.mark.exhaustive
def test_a_conditional_gan_takes_the_networks_spectrally_normalised_and_rematerialised():
    """Nothing is computed: an update gives a state of the shapes and types that it was given."""
    generator = Spectral(SMALL.clone(remat=True), exempt=("embedding",))
    features = FEATURES.clone(channels=(8, 8), halvings=1, attention=(4,), remat=True)
    discriminator = Spectral(ProjectionDiscriminator(features))
    config = cgan.Config((8, 8, 3), num_classes=3, generator=generator, discriminator=discriminator, prior=Uniform(8))
    batch = Labelled(jnp.zeros((4, 8, 8, 3)), jnp.zeros(4, jnp.int32))
    state = jax.eval_shape(lambda: cgan.init(config, jax.random.key(0)))
    after, _ = jax.eval_shape(lambda state: cgan.update(config, state, batch, jax.random.key(1)), state)
    described = [jax.tree.map(lambda leaf: (leaf.shape, str(leaf.dtype)), each) for each in (state, after)]
    assert described[0] == described[1]


@pytest.mark.parametrize(
    ("net", "inputs", "message"),
    [
        (GENERATOR, (LATENTS, CLASSES, (28, 32, 3)), r"\(28, 32, 3\), but must be of sides that halve 3 times"),
        (GENERATOR, (LATENTS, CLASSES, (32, 28, 3)), r"\(32, 28, 3\), but must be of sides that halve 3 times"),
        (GENERATOR, (LATENTS, CLASSES, (48, 48, 3)), r"attention is \(16,\), .* which are \(12, 24, 48\)"),
        (
            GENERATOR,
            (LATENTS[:, 1:], CLASSES, (32, 32, 3)),
            "size of latents is 7, but must be a multiple of 4: a chunk",
        ),
        (GENERATOR.clone(embedding=None), INPUTS, "hierarchical is True, but must be False where embedding is None"),
        (GENERATOR.clone(embedding=0), INPUTS, "embedding is 0, but must be at least 1"),
        (GENERATOR.clone(channels=0), INPUTS, r"channels and multipliers is \(0, .*, but must be positive"),
    ],
)
def test_what_does_not_fit_is_refused(net, inputs, message):
    with pytest.raises(ValueError, match=message):
        shapes(net, *inputs)
