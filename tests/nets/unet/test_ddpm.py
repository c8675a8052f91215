import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.unet.blocks import ResidualBlock
from jaxgen.nets.unet.condition import Condition
from jaxgen.nets.unet.ddpm import IMPROVED, UNet
from jaxgen.nets.unet.embeddings import Sinusoid
from tests.nets.parameters import zeros
from tests.nets.unet.networks import DENOISERS, IMAGES, TIMES, fields, init, names, parameters


def test_parameter_counts_are_those_of_the_paper():
    """35.7 and 114 million in the paper."""
    assert parameters(UNet(), (32, 32, 3)) == 35_746_307
    assert parameters(UNet(multipliers=(1, 1, 2, 2, 4, 4), dropout=0.0), (256, 256, 3)) == 113_673_219


@pytest.mark.exhaustive
def test_parameter_counts_for_28x28():
    assert parameters(UNet(32, (1, 2, 2), attention=(14,)), (28, 28, 1)) == 1_623_169
    assert parameters(UNet(64, (1, 2, 2), attention=(14,)), (28, 28, 1)) == 6_469_889


@pytest.mark.exhaustive
def test_parameter_counts_of_improved_ddpm():
    assert parameters(IMPROVED, (32, 32, 3), None, (32, 32, 6)) == 52_546_438
    large = IMPROVED.clone(multipliers=(1, 2, 3, 4), dropout=0.0)
    assert parameters(large, (64, 64, 3), None, (64, 64, 6)) == 121_063_942


def test_classes_cost_one_vector_each():
    net = UNet(32, (1, 2, 2), attention=(14,))
    assert parameters(net, (28, 28, 1), zeros(10)) == 1_623_169 + 10 * 4 * 32


def test_settings_of_the_improved_network_are_the_papers():
    improved = {"blocks": 3, "attention": (16, 8), "heads": 4, "dropout": 0.3, "scale_shift": True}
    assert fields(IMPROVED) == fields(UNet()) | improved | {"features": Sinusoid(endpoint=False, cosines_first=True)}


def test_attention_stands_where_it_is_asked_for_and_in_the_middle():
    inputs = zeros(8, 4, 2), jnp.zeros(1), None, (8, 4, 2)
    for attention, wanted in (
        ((), set()),
        ((8,), {"down_0_0", "up_0_0", "up_0_1"}),
        ((4,), {"down_1_0", "up_1_0", "up_1_1"}),
    ):
        net = DENOISERS["ddpm"].clone(attention=attention)
        found = {name.removesuffix("_attention") for name in names(net, *inputs) if name.endswith("_attention")}
        assert found == wanted | {"middle_0"}


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["ddpm", "ddpm++"])
def test_maps_of_the_way_down_come_back_in_reverse_order(name):
    """What is appended to the inputs of the blocks on the way up are the kept maps, the last one first."""
    net = DENOISERS[name].clone(blocks=2, dropout=0.0, multipliers=(2, 2))
    variables = init(net, IMAGES, TIMES, None, (8, 4, 2))

    def recorded():
        seen, results = {}, {}

        def intercept(call, args, kwargs, context):
            name = context.module.name
            outputs = call(*args, **kwargs)
            if context.method_name == "__call__" and len(context.module.path) == 1:
                results[name] = outputs
                if isinstance(context.module, ResidualBlock):
                    seen[name] = args[0]
            return outputs

        with nn.intercept_methods(intercept):
            net.apply(variables, IMAGES, TIMES, None, (8, 4, 2))
        return seen, results

    seen, results = jax.jit(recorded)()
    kept = ["inputs", "down_0_0", "down_0_1", "down_1", "down_1_0", "down_1_1"]
    kept = [f"{name}_attention" if f"{name}_attention" in results else name for name in kept]
    if name == "ddpm":
        kept[3] = "down_0"  # the strided convolution belongs to the level before
    ups = [f"up_{level}_{i}" for level in (1, 0) for i in range(3)]
    for up, down in zip(ups, reversed(kept), strict=True):
        wanted = results[down]
        np.testing.assert_array_equal(seen[up][..., -wanted.shape[-1] :], wanted)


def test_a_condition_on_the_augmentation_is_refused():
    with pytest.raises(ValueError, match="this network is not told how an image was augmented"):
        parameters(DENOISERS["ddpm"], (8, 8, 1), Condition(augmentation=zeros(9)))


def test_heights_of_attention_that_no_maps_have_are_refused():
    with pytest.raises(ValueError, match=r"attention is \(16,\), but must be some of \(28, 14, 7\)"):
        parameters(UNet(32, (1, 2, 2)), (28, 28, 1))


@pytest.mark.parametrize("name", ["ddpm", "ddpm++"])
def test_a_network_without_blocks_is_refused(name):
    with pytest.raises(ValueError, match="blocks is 0, but must be at least 1"):
        parameters(DENOISERS[name].clone(blocks=0), (8, 8, 1))
