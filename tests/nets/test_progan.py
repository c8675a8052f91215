"""ProGAN's networks: sizes of the authors' code, and the laws of a network that grows."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.convolution import conv, mean_pool, upsample_nearest
from jaxgen.nets.norm import pixel_norm
from jaxgen.nets.progan import ProGANDiscriminator, ProGANGenerator
from jaxgen.nets.resampling import BLUR, smooth
from jaxgen.testing import leaves

SMALL = {"base": 16, "maximum": 6}  # 6, 4, 2 channels
LATENTS = jax.random.normal(jax.random.key(0), (4, 5))
IMAGES = jax.random.normal(jax.random.key(1), (4, 8, 8, 2))
FULL = jnp.float32(1.0)


def sizes(net, *inputs):
    """Numbers of all parameters, and of those without the colour layers of other sizes."""
    variables = jax.eval_shape(lambda: net.init(jax.random.key(0), *inputs))
    params = variables["params"]
    colours = [name for name in params if "rgb" in name]
    of = {name: sum(leaf.size for leaf in jax.tree.leaves(tree)) for name, tree in params.items()}
    last = max(colours, key=lambda name: int(name.rpartition("_")[2]))
    return sum(of.values()), sum(of.values()) - sum(of[name] for name in colours if name != last)


FINAL = {
    4: (6_556_163, 6_561_793),
    8: (11_275_779, 11_281_409),
    16: (15_995_395, 16_001_025),
    32: (20_715_011, 20_720_641),
    64: (22_484_227, 22_489_857),
    128: (22_926_467, 22_932_097),
    256: (23_036_995, 23_042_625),
    512: (23_064_611, 23_070_241),
    1024: (23_071_507, 23_077_137),
}
ALL = {8: (11_277_318, 11_283_457), 32: (20_719_628, 20_726_785), 1024: (23_079_115, 23_087_249)}


@pytest.mark.parametrize("side", [4, 8, 32, 1024, *(pytest.param(n, marks=pytest.mark.exhaustive) for n in FINAL)])
def test_parameter_counts_are_those_of_the_authors_code(side):
    found = [
        sizes(ProGANGenerator(), jnp.zeros((1, 512)), (side, side, 3)),
        sizes(ProGANDiscriminator(), jnp.zeros((1, side, side, 3))),
    ]
    assert tuple(final for _, final in found) == FINAL[side]
    if side in ALL:
        assert tuple(every for every, _ in found) == ALL[side]


def test_parameter_counts_of_narrow_networks():
    settings = {"base": 2048, "maximum": 128}
    assert sizes(ProGANGenerator(**settings), jnp.zeros((1, 128)), (32, 32, 3))[1] == 1_295_747
    assert sizes(ProGANDiscriminator(**settings), jnp.zeros((1, 32, 32, 3)))[1] == 1_297_153


def perturbed(variables):
    """Biases that are not 0."""

    def moved(leaf):
        return leaf + 0.3 * jax.random.normal(jax.random.key(leaf.size), leaf.shape) if leaf.ndim == 1 else leaf

    return jax.tree.map(moved, variables)


@pytest.fixture(scope="module")
def generator():
    """A network for 16x16 as a function of latents, side and alpha, and its variables."""
    net = ProGANGenerator(**SMALL)
    variables = perturbed(jax.jit(lambda: net.init(jax.random.key(2), LATENTS, (16, 16, 2)))())
    call = jax.jit(
        lambda variables, latents, side, alpha=None: net.apply(variables, latents, (side, side, 2), alpha),
        static_argnums=2,
    )
    return call, variables


@pytest.fixture(scope="module", params=[False, True], ids=["ProGAN", "StyleGAN"])
def discriminator(request):
    """A network for 8x8, a function of images and alpha, and its variables."""
    net = ProGANDiscriminator(**SMALL, blurred=request.param)
    variables = perturbed(jax.jit(lambda: net.init(jax.random.key(3), IMAGES))())
    return jax.jit(lambda variables, images, alpha=None: net.apply(variables, images, (), alpha)), variables


def without(variables, *names):
    """The same variables, some layers of other weights."""
    params = {
        name: jax.tree.map(lambda leaf: leaf + 1.0, tree) if name in names else tree
        for name, tree in variables["params"].items()
    }
    return {"params": params}


def test_with_alpha_0_the_image_is_the_smaller_networks_each_pixel_a_block(generator):
    call, variables = generator
    for side in (8, 16):
        larger, smaller = call(variables, LATENTS, side, 0 * FULL), call(variables, LATENTS, side // 2)
        np.testing.assert_allclose(larger, upsample_nearest(smaller), atol=1e-5)


def test_with_alpha_1_the_image_does_not_depend_on_the_smaller_colour_layer(generator):
    call, variables = generator
    image = call(variables, LATENTS, 16, FULL)
    np.testing.assert_allclose(call(without(variables, "to_rgb_1", "to_rgb_0"), LATENTS, 16, FULL), image, atol=1e-6)
    np.testing.assert_allclose(call(variables, LATENTS, 16), image, atol=1e-6)
    halfway = call(variables, LATENTS, 16, 0.5 * FULL)
    smaller = upsample_nearest(call(variables, LATENTS, 8))
    np.testing.assert_allclose(halfway, (image + smaller) / 2, atol=1e-5)


def test_with_alpha_0_the_score_is_the_smaller_networks_of_the_mean_over_blocks(discriminator):
    call, variables = discriminator
    scores = call(variables, mean_pool(IMAGES))
    np.testing.assert_allclose(call(variables, IMAGES, 0 * FULL), scores, atol=1e-5)
    assert np.abs(call(variables, IMAGES, FULL) - scores).max() > 0.01


def test_with_alpha_1_the_score_does_not_depend_on_the_smaller_colour_layer(discriminator):
    call, variables = discriminator
    scores = call(variables, IMAGES)
    np.testing.assert_allclose(call(without(variables, "from_rgb_0"), IMAGES, FULL), scores, atol=1e-6)
    assert (
        np.abs(call(without(variables, "from_rgb_0"), IMAGES, 0.5 * FULL) - call(variables, IMAGES, 0.5 * FULL)).max()
        > 0.01
    )


def test_the_image_depends_on_the_direction_of_its_latent_alone(generator):
    call, variables = generator
    images = call(variables, LATENTS, 8)
    for factor in (0.1, 7.0):
        np.testing.assert_allclose(call(variables, factor * LATENTS, 8), images, atol=1e-4)


def test_the_layers_of_a_generator_in_their_order(generator):
    """Dense layer of gain sqrt(2) / 4, bias, leaky ReLU, pixel norm; nearest, convolution, ...; colours."""
    call, variables = generator
    params = variables["params"]

    def activate(hidden):
        return pixel_norm(jnp.where(hidden > 0, hidden, 0.2 * hidden))

    def convolve(images, name):
        layer = params[name]
        kernel = layer["kernel"] * np.sqrt(2 / (9 * images.shape[-1]))
        return activate(conv(images, kernel) + layer["bias"][None, None, None])

    latents = LATENTS / np.sqrt((np.asarray(LATENTS) ** 2).mean(1, keepdims=True) + 1e-8)
    hidden = (latents @ params["dense"]["kernel"] * (np.sqrt(2) / 4 / np.sqrt(5))).reshape(4, 4, 4, 6)
    hidden = convolve(activate(hidden + params["bias"][None, None, None]), "conv_0_1")
    hidden = convolve(convolve(upsample_nearest(hidden), "conv_1_0"), "conv_1_1")
    wanted = (
        hidden @ params["to_rgb_1"]["kernel"][0, 0] / 2 + params["to_rgb_1"]["bias"][None, None, None]
    )  # sqrt(4) inputs
    np.testing.assert_allclose(call(variables, LATENTS, 8), wanted, atol=1e-4)


def test_the_layers_of_a_discriminator_in_their_order(discriminator, request):
    """One group of four: the mean over places and channels of the deviation over it is one more channel."""
    call, variables = discriminator
    wanted = scores_by_hand(variables["params"], request.node.callspec.params["discriminator"])
    np.testing.assert_allclose(call(variables, IMAGES), wanted, atol=1e-4)


def scores_by_hand(params, blurred):
    def activate(hidden):
        return jnp.where(hidden > 0, hidden, 0.2 * hidden)

    def convolve(images, name):
        layer, size = params[name], params[name]["kernel"].shape[0]
        kernel = layer["kernel"] * np.sqrt(2 / (size**2 * images.shape[-1]))
        return conv(images, kernel) + layer["bias"][None, None, None]

    hidden = activate(convolve(activate(convolve(IMAGES, "from_rgb_1")), "conv_1_0"))
    if blurred:
        hidden = activate(mean_pool(convolve(smooth(hidden, 1, BLUR), "conv_1_1")))
    else:
        hidden = mean_pool(activate(convolve(hidden, "conv_1_1")))
    deviation = jnp.sqrt(hidden.var(axis=0) + 1e-8).mean()
    hidden = jnp.concatenate([hidden, jnp.full((4, 4, 4, 1), deviation)], axis=3)
    hidden = activate(convolve(hidden, "conv_0")).reshape(4, -1)
    for name, gain in (("dense_0", np.sqrt(2)), ("dense_1", 1.0)):
        layer = params[name]
        hidden = hidden @ layer["kernel"] * (gain / np.sqrt(hidden.shape[1])) + layer["bias"][None]
        hidden = activate(hidden) if name == "dense_0" else hidden
    return hidden[:, 0]


def test_a_fresh_network_keeps_the_scale_of_its_maps_at_every_depth():
    net = ProGANGenerator(base=4096, maximum=32)
    images = jax.jit(
        lambda: net.init_with_output(jax.random.key(0), jax.random.normal(jax.random.key(1), (2, 64)), (32, 32, 3))[0]
    )()
    assert 0.5 < images.std() < 2.0


def test_images_of_other_shapes_begin_at_another_smallest_map():
    net = ProGANGenerator(**SMALL, smallest=7)
    variables = jax.eval_shape(lambda: net.init(jax.random.key(0), LATENTS, (28, 56, 1)))
    assert variables["params"]["dense"]["kernel"].shape == (5, 7 * 14 * 6)
    critic = ProGANDiscriminator(**SMALL, smallest=7)
    outputs = jax.eval_shape(lambda: critic.init_with_output(jax.random.key(0), jnp.zeros((2, 28, 28, 1)), (3,))[0])
    assert outputs.shape == (2, 3)


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", [ProGANGenerator, ProGANDiscriminator])
def test_bfloat16_is_close_to_float32(kind):
    net, alpha = kind(**SMALL), 0.5 * FULL
    given = (LATENTS, (8, 8, 2), alpha) if kind is ProGANGenerator else (IMAGES, (), alpha)
    variables = perturbed(jax.jit(lambda: net.init(jax.random.key(0), *given))())
    single, half = (each.apply(variables, *given) for each in (net, net.clone(dtype="bfloat16")))
    assert half.dtype == jnp.float32 and {leaf.dtype for leaf in leaves(variables).values()} == {np.dtype("float32")}
    np.testing.assert_allclose(half, single, atol=0.05 * float(np.abs(single).max()))


@pytest.mark.parametrize(
    ("settings", "side", "alpha", "message"),
    [
        ({}, 12, None, "height of images is 12, but must be 4, the smallest map's, doubled some times"),
        ({"base": 1}, 8, None, r"base and maximum is \(1, 6\), but must be enough"),
        ({}, 4, FULL, "alpha is .*, but must be None at the smallest size"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, side, alpha, message):
    for kind in (ProGANGenerator, ProGANDiscriminator):
        net, shape = kind(**(SMALL | settings)), (side, side, 2)
        given = (LATENTS, shape) if kind is ProGANGenerator else (jnp.zeros((4, *shape)), ())
        with pytest.raises(ValueError, match=message):
            jax.eval_shape(lambda net=net, given=given: net.init(jax.random.key(0), *given, alpha))
