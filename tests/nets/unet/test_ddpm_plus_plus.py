import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.unet.blocks import ResidualBlock
from jaxgen.nets.unet.condition import Condition
from jaxgen.nets.unet.ddpm_plus_plus import DDPMPlusPlus
from jaxgen.nets.unet.embeddings import Sinusoid
from tests.nets.parameters import zeros
from tests.nets.unet.networks import CLASSES, DENOISERS, IMAGES, TIMES, init, names, parameters

AUGMENTATION = jax.random.normal(jax.random.key(0), (3, 9))


def test_parameter_counts_are_those_of_edms_code():
    """A class costs a vector and the layer a bias, 11 x 128; each number of the augmentation a vector."""
    assert parameters(DDPMPlusPlus(), (32, 32, 3)) == 55_732_739
    net, shape = DENOISERS["ddpm++"].clone(channels=128, multipliers=(1,), attention=()), (2, 2, 3)
    without = parameters(net, shape) - 55_732_739
    assert parameters(net, shape, Condition(augmentation=zeros(9))) - without == 55_733_891
    assert parameters(net, shape, zeros(10)) - without == 55_734_147
    assert parameters(net, shape, Condition(zeros(10), zeros(9))) - without == 55_735_299


@pytest.mark.exhaustive
def test_the_parameter_count_for_28x28():
    assert parameters(DDPMPlusPlus(32, (1, 2, 2), 2, (14,)), (28, 28, 1)) == 1_752_993


def test_on_the_way_up_the_last_block_of_a_size_attends_alone():
    inputs = zeros(8, 4, 2), jnp.zeros(1), None, (8, 4, 2)
    for attention, wanted in (((), set()), ((8,), {"down_0_0", "up_0_1"}), ((4,), {"down_1_0", "up_1_1"})):
        net = DENOISERS["ddpm++"].clone(attention=attention)
        found = {name.removesuffix("_attention") for name in names(net, *inputs) if name.endswith("_attention")}
        assert found == wanted | {"middle_0"}


def test_the_embedding_is_its_formula():
    net = DENOISERS["ddpm++"].clone(multipliers=(1,), attention=())
    condition = Condition(CLASSES, AUGMENTATION)
    variables = init(net, IMAGES, TIMES, condition, (8, 4, 2))
    params = variables["params"]

    def dense(name, inputs):
        return inputs @ params[name]["kernel"] + params[name].get("bias", jnp.zeros(1))[None]

    hidden = Sinusoid()(TIMES, 8) + dense("classes", 2 * CLASSES) + dense("augmentation", AUGMENTATION)  # 2 = sqrt(4)
    wanted = jax.nn.swish(dense("time_1", jax.nn.swish(dense("time_0", hidden))))
    found = []

    def intercept(call, args, kwargs, context):
        if isinstance(context.module, ResidualBlock) and context.method_name == "__call__":
            found.append(args[1])
        return call(*args, **kwargs)

    def recorded():
        with nn.intercept_methods(intercept):
            net.apply(variables, IMAGES, TIMES, condition, (8, 4, 2))
        return found

    for embedding in jax.jit(recorded)():
        np.testing.assert_allclose(embedding, wanted, atol=1e-5)
    assert set(params["augmentation"]) == {"kernel"}


def test_an_image_as_it_is_has_zeros_for_its_augmentation():
    net = DENOISERS["ddpm++"].clone(multipliers=(1,), attention=())
    variables = init(net, IMAGES, TIMES, Condition(augmentation=AUGMENTATION), (8, 4, 2))

    def denoise(condition):
        return jax.jit(lambda: net.apply(variables, IMAGES, TIMES, condition, (8, 4, 2)))()

    plain = denoise(None)
    np.testing.assert_allclose(denoise(Condition(augmentation=jnp.zeros((3, 9)))), plain, atol=1e-6)
    assert np.abs(denoise(Condition(augmentation=AUGMENTATION)) - plain).max() > 1e-3


def test_sums_keep_the_variance():
    """Each residual sum is scaled by sqrt(1/2): the blocks begin as x sqrt(1/2)."""
    net = DENOISERS["ddpm++"].clone(multipliers=(1,), attention=())
    fresh = jax.jit(lambda: net.init(jax.random.key(0), IMAGES, TIMES, None, (8, 4, 2)))()
    _, outputs = jax.jit(
        lambda: net.apply(fresh, IMAGES, TIMES, None, (8, 4, 2), capture_intermediates=True, mutable="intermediates")
    )()
    found = {name: value["__call__"][0] for name, value in outputs["intermediates"].items() if "__call__" in value}
    np.testing.assert_allclose(found["down_0_0"], found["inputs"] * np.sqrt(0.5), atol=1e-3)
    np.testing.assert_allclose(found["middle_0_attention"], found["middle_0"] * np.sqrt(0.5), atol=1e-3)
