from jaxgen.gans import stylegan2
from jaxgen.gans.regularization import Slope
from jaxgen.gans.stylegan2 import PathLength
from jaxgen.moving_averages import HalfLife
from jaxgen.nets.conditioning import InnerCondition
from jaxgen.nets.mapping import Mapping
from jaxgen.nets.stylegan2 import StyleGAN2Discriminator, StyleGAN2Synthesis
from jaxgen.priors import Normal
from tests import contract

TINY = stylegan2.Config(
    image_shape=(4, 4, 1),
    num_classes=3,
    prior=Normal(3),
    mapping=InnerCondition(Mapping(1, 4, lr_multiplier=0.5, scaled_activation=True)),
    synthesis=StyleGAN2Synthesis(16, 2),
    discriminator=InnerCondition(StyleGAN2Discriminator(16, 2, mapping_layers=1)),
    r1=Slope(1.0, every=2),
    path_length=PathLength(every=2, shrink=1),
    average=HalfLife(2.0, ramp_up=None),
)


class TestContract(contract.Suite):
    case = contract.Case(stylegan2, TINY)
