"""What all denoisers keep."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.mode import Mode
from tests.exhaustive import first
from tests.nets.unet.networks import CLASSES, DENOISERS, IMAGES, TIMES, init

TRAINING = Mode(jax.random.split(jax.random.key(2), 3), train=True)
CONVOLUTIONAL = [name for name in DENOISERS if name not in ("mlp", "dit")]
DROPPING = ["ddpm", "improved", "ddpm++", "edm2"]


@pytest.fixture(scope="module", params=DENOISERS)
def case(request):
    """Network, variables for classes, and outputs compiled."""
    net = DENOISERS[request.param]
    variables = init(net, IMAGES, TIMES, CLASSES, (8, 4, 2))
    return net, variables, jax.jit(lambda *inputs: net.apply(variables, *inputs, (8, 4, 2)))


@pytest.mark.exhaustive
def test_examples_are_denoised_by_themselves_each_with_its_time_and_its_class(case):
    _, _, denoise = case
    order = jnp.array([2, 0, 1])
    outputs = denoise(IMAGES, TIMES, CLASSES)
    assert outputs.shape == IMAGES.shape and outputs.dtype == jnp.float32
    permuted = denoise(IMAGES[order], TIMES[order], CLASSES[order])
    np.testing.assert_allclose(permuted, outputs[order], atol=1e-5)
    for inputs in ((IMAGES, TIMES[order], CLASSES), (IMAGES, TIMES, CLASSES[order])):
        assert np.abs(denoise(*inputs) - outputs).max((1, 2, 3)).min() > 1e-4


@pytest.mark.exhaustive
def test_bfloat16_is_close_to_float32(case):
    net, variables, denoise = case
    half = net.clone(dtype="bfloat16")
    shapes = jax.eval_shape(lambda: half.init(jax.random.key(0), IMAGES, TIMES, CLASSES, (8, 4, 2)))
    assert {leaf.dtype for leaf in jax.tree.leaves(shapes)} == {jnp.dtype("float32")}
    found = jax.jit(lambda: half.apply(variables, IMAGES, TIMES, CLASSES, (8, 4, 2)))()
    wanted = denoise(IMAGES, TIMES, CLASSES)
    assert found.dtype == jnp.float32
    difference = jnp.sqrt(jnp.mean((found - wanted) ** 2) / jnp.var(wanted))
    assert 1e-5 < difference < 0.06


def of_one_size(name):
    """The network without changes of size: what takes part in them is compiled in no time."""
    size = {"multipliers": (1,)} if name in CONVOLUTIONAL else {}
    return DENOISERS[name].clone(**size, **({"attention": ()} if name in DROPPING else {}))


@pytest.mark.parametrize("name", [name for name in DENOISERS if name != "edm2"])  # whose sums are in balance
def test_no_class_is_the_network_without_classes(name):
    net = of_one_size(name)
    variables = init(net, IMAGES, TIMES, CLASSES, (8, 4, 2))
    if name == "ddpm++":
        variables["params"]["classes"]["bias"] = jnp.zeros(8)  # no class is then no vector, as in the other networks

    @jax.jit
    def outputs(rows):
        return [net.apply(variables, IMAGES, TIMES, each, (8, 4, 2)) for each in (rows, None)]

    told, untold = outputs(jnp.zeros_like(CLASSES))
    np.testing.assert_allclose(told, untold, atol=1e-6)


@pytest.mark.parametrize("name", first(1, CONVOLUTIONAL))
def test_blocks_computed_again_give_the_same_values_and_gradients(name):
    net = of_one_size(name)
    variables = init(net, IMAGES, TIMES, None, (8, 4, 2))

    def loss(net, variables, images):
        return (net.apply(variables, images, TIMES, None, (8, 4, 2), mode=TRAINING) ** 2).mean()

    plain, again = (
        jax.jit(jax.value_and_grad(lambda *inputs, net=net: loss(net, *inputs), (0, 1)))(variables, IMAGES)
        for net in (net, net.clone(remat=True))
    )
    for (path, leaf), other in zip(jax.tree_util.tree_leaves_with_path(plain), jax.tree.leaves(again), strict=True):
        scale = np.abs(leaf).max()
        np.testing.assert_allclose(other, leaf, rtol=1e-4, atol=1e-4 * scale, err_msg=jax.tree_util.keystr(path))


@pytest.mark.parametrize("name", CONVOLUTIONAL)
def test_with_blocks_computed_again_the_parameters_have_the_same_names(name):
    net, inputs = of_one_size(name), (IMAGES, TIMES, None, (8, 4, 2))
    again = net.clone(remat=True)
    variables, others = (init(each, *inputs) for each in (net, again))
    assert jax.tree.map(jnp.shape, variables) == jax.tree.map(jnp.shape, others)
    program = jax.make_jaxpr(lambda images: again.apply(variables, images, *inputs[1:]))(IMAGES)
    trees = {name: tree for name, tree in variables["params"].items() if isinstance(tree, dict)}
    blocks = [name for name, tree in trees.items() if isinstance(tree.get("conv_0"), dict)]
    attentive = [name for name in variables["params"] if name.endswith("attention")]
    repeated = [equation for equation in program.jaxpr.eqns if equation.primitive.name in ("remat2", "checkpoint")]
    assert len(repeated) == len(blocks) + len(attentive)


@pytest.mark.parametrize("name", [name for name in DENOISERS if name not in ("convnext", "dit", "edm2")])
def test_outputs_begin_near_zero(name):
    net = of_one_size(name)
    outputs, _ = jax.jit(lambda: net.init_with_output(jax.random.key(0), IMAGES, TIMES, None, (8, 4, 2)))()
    assert 0 < np.abs(outputs).max() < 1e-3


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", DROPPING)
def test_dropout_belongs_to_the_examples(name):
    """An example with its key gives the same in another batch; without keys there is no training."""
    net = of_one_size(name)
    variables = init(net, IMAGES, TIMES, None, (8, 4, 2))

    @jax.jit
    def denoise(images, times, mode):
        return net.apply(variables, images, times, None, (8, 4, 2), mode=mode)

    dropped = denoise(IMAGES, TIMES, TRAINING)
    order = jnp.array([1, 2, 0])
    moved = denoise(IMAGES[order], TIMES[order], TRAINING.with_keys(TRAINING.keys[order]))
    np.testing.assert_allclose(moved, dropped[order], atol=1e-5)
    assert np.abs(denoise(IMAGES, TIMES, Mode()) - dropped).max() > 0.01
    with pytest.raises(ValueError, match="dropout draws random numbers in training, but this pass has no keys"):
        denoise(IMAGES, TIMES, Mode(train=True))


@pytest.mark.parametrize("name", DENOISERS)
def test_a_mean_and_a_variance_are_twice_the_channels(name):
    net = DENOISERS[name]
    outputs = jax.eval_shape(lambda: net.init_with_output(jax.random.key(0), IMAGES, TIMES, None, (8, 4, 4))[0])
    assert outputs.shape == (3, 8, 4, 4)


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize("name", CONVOLUTIONAL)
@pytest.mark.parametrize(
    ("shape", "output_shape", "message"),
    [
        ((1, 7, 4, 2), (7, 4, 2), "size of images is 7x4, but must be a multiple of 2x2 for 2 sizes"),
        ((1, 8, 4, 2), (4, 4, 2), r"output_shape is \(4, 4, 2\), but must be \(height, width, channels\)"),
        ((1, 8, 4, 2), (64,), r"output_shape is \(64,\), but must be \(height, width, channels\)"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(name, shape, output_shape, message):
    net = DENOISERS[name]
    with pytest.raises(ValueError, match=message):
        jax.eval_shape(lambda: net.init(jax.random.key(0), jnp.ones(shape), jnp.zeros(1), None, output_shape))
