"""How the layers of networks begin whose first weights are no setting: as the papers or the authors' codes say."""

import functools

import flax.linen as nn
import jax
import numpy as np
import pytest

from tests.nets.traces import CASES, traced

NORMAL = nn.initializers.normal(0.02)
HE = nn.initializers.variance_scaling(2.0, "fan_in", "normal")
LECUN = nn.initializers.lecun_normal()
XAVIER = nn.initializers.xavier_uniform(), nn.initializers.variance_scaling(2.0, "fan_avg", "uniform")
PLAIN = nn.initializers.variance_scaling(1.0, "fan_in", "normal")
FAMILIES = {
    NORMAL: (
        *("ACGANGenerator", "ACGANDiscriminator", "UNetTranslator", "PatchDiscriminator", "PixelDiscriminator"),
        *("ResNetTranslator", "CodedUNetTranslator", "CodeEncoder", "ScaledDiscriminator", "NoisyTranslator"),
        *("NoisyDiscriminator", "ContextEncoder", "ContextDiscriminator", "DiscoGANTranslator"),
        *("DiscoGANDiscriminator", "DualGANTranslator", "DualGANCritic", "MultiScaleDiscriminator"),
        *("GlobalPathway", "LocalPathway", "CoarseDiscriminator", "IdentityHead"),
    ),
    HE: (
        *("PartialUNet", "VGG16Maps", "VGG19", "ContentEncoder", "ResidualBlocks", "ContentDecoder"),
        *("StyleEncoder", "StyleDecoder"),
    ),
    XAVIER[1]: ("CoGANDiscriminator", "CoGANGenerator", "CoGANImageLayer", "CoGANStem"),
    nn.initializers.variance_scaling(1 / 3, "fan_in", "uniform"): ("StarGANTranslator", "StarGANDiscriminator"),
    nn.initializers.variance_scaling(0.02, "fan_in", "normal"): ("RRDB", "ResidualDenseBlock"),
}
"""Of these kinds all layers begin with the same initialiser; of the others in `traces.CASES` as linen's by default."""
SEVERAL = {
    "FirstBlock": XAVIER,
    "ResidualBlock": XAVIER,
    "ResNetGenerator": XAVIER,
    "ResNetCritic": XAVIER,
    "FlatResNetCritic": XAVIER,
    "RRDBNet": (LECUN, nn.initializers.variance_scaling(0.02, "fan_in", "normal")),
    "InvertedBottleneck": (PLAIN, nn.initializers.zeros),
}
"""Kinds whose layers begin differently."""
BY_DEPTH = {"R3GANGenerator", "R3GANDiscriminator"}
"""Kinds whose blocks begin the smaller, the more there are: `test_r3gan` says how."""
FIXED = [
    number
    for number, (net, *_) in enumerate(CASES)
    if "initializer" not in type(net).__dataclass_fields__ and type(net).__name__ not in BY_DEPTH
]


@functools.cache
def drawn(initializer):
    return np.asarray(initializer(jax.random.key(0), (3, 3, 4, 8)))


def initializers_of(kind):
    if kind in SEVERAL:
        return SEVERAL[kind]
    return next(((initializer,) for initializer, kinds in FAMILIES.items() if kind in kinds), (LECUN,))


@pytest.mark.parametrize("number", FIXED, ids=[type(CASES[number][0]).__name__ for number in FIXED])
def test_layers_begin_as_the_paper_has_them(number):
    wanted = initializers_of(type(CASES[number][0]).__name__)
    found = {drawn(layer.kernel_init).tobytes() for layer in traced(number)[1].values()}
    assert found and found <= {drawn(initializer).tobytes() for initializer in wanted}


def test_every_kind_of_the_tables_is_traced():
    kinds = {type(CASES[number][0]).__name__ for number in FIXED}
    assert kinds >= {kind for kinds in FAMILIES.values() for kind in kinds} | SEVERAL.keys()
