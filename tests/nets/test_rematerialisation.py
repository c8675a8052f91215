"""With `remat` a network computes each of its blocks again in the backward pass: the program shows how many."""

import flax.linen as nn
import jax
import pytest

from jaxgen.nets import biggan_deep, dit, resnet, spatial_transformer
from jaxgen.nets.courses import annotated_diffusion
from jaxgen.nets.unet import blocks, edm2
from tests.nets.test_half_precision import NETWORKS
from tests.nets.traces import CASES
from tests.programs import operations

BLOCKS = (
    *(resnet.FirstBlock, resnet.ResidualBlock, biggan_deep.GeneratorBlock, biggan_deep.DiscriminatorBlock),
    *(blocks.ResidualBlock, blocks.AttentionBlock, spatial_transformer.SpatialTransformer, dit.AdaptiveBlock),
    *(annotated_diffusion.ConvNeXtBlock, annotated_diffusion.SelfAttention, edm2.EDM2Block),
)


def with_the_setting():
    """By name: a network and what it is applied to."""
    tabled = [(net, (*(inputs if isinstance(inputs, tuple) else (inputs,)), *shape)) for net, inputs, *shape in CASES]
    for net, given in [*NETWORKS.values(), *tabled]:
        if isinstance(features := getattr(net, "features", None), nn.Module):
            net, given = features, given[:1]
        if "remat" in type(net).__dataclass_fields__:
            yield type(net).__name__, (net, given)


NETS = dict(with_the_setting())


@pytest.mark.parametrize("name", NETS)
def test_each_block_is_computed_again_where_the_network_says_so(name):
    net, given = NETS[name]
    passed = set()

    def record(call, args, kwargs, context):
        if isinstance(context.module, BLOCKS) and context.method_name == "__call__":
            passed.add(context.module.path)
        return call(*args, **kwargs)

    def programs_again(net):
        variables = jax.eval_shape(lambda: net.init(jax.random.key(0), *given))
        passed.clear()
        program = jax.make_jaxpr(lambda variables: net.apply(variables, *given))(variables).jaxpr
        return sum("remat" in op.primitive.name or op.primitive.name == "checkpoint" for op in operations(program))

    with nn.intercept_methods(record):
        found = [programs_again(net.clone(remat=remat)) for remat in (True, False)]
    assert passed and found == [len(passed), 0]
