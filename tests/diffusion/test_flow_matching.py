from jaxgen.diffusion import flow_matching
from jaxgen.diffusion.guidance import ClassifierFree
from jaxgen.diffusion.samplers import DDIM
from jaxgen.diffusion.weights import MinSNR
from jaxgen.moving_averages import Constant
from jaxgen.optimizers import Adam, Optimizer
from tests import contract
from tests.diffusion.networks import BEFORE_BATCH_NORM, Tiny

TINY = flow_matching.Config(
    image_shape=(4, 4, 1),
    num_classes=3,
    denoiser=Tiny(),
    weight=MinSNR(5.0),
    sampler=DDIM(3, eta=0.5),
    guidance=ClassifierFree(2.0, 0.01, 30.0),
    optimizer=Optimizer(1e-3, Adam()),
    average=Constant(0.5),
)


class TestContract(contract.Suite):
    case = contract.Case(flow_matching, TINY, unreached=BEFORE_BATCH_NORM)
