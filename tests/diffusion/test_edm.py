from jaxgen.diffusion import edm
from jaxgen.diffusion.guidance import ClassifierFree
from jaxgen.diffusion.samplers import Churn, Heun
from jaxgen.diffusion.schedules import Sigmas
from jaxgen.diffusion.weights import MinSNR
from jaxgen.moving_averages import HalfLife
from jaxgen.optimizers import Adam, Optimizer
from tests import contract
from tests.diffusion.networks import BEFORE_BATCH_NORM, Tiny

TINY = edm.Config(
    image_shape=(4, 4, 1),
    num_classes=3,
    denoiser=Tiny(),
    schedule=Sigmas(0.02, 20.0),
    weight=MinSNR(5.0),
    sampler=Heun(3, churn=Churn(1.0, 2.0, 30.0, 1.01)),
    guidance=ClassifierFree(2.0, 0.01, 30.0),
    optimizer=Optimizer(1e-3, Adam()),
    average=HalfLife(2.0),
)


class TestContract(contract.Suite):
    case = contract.Case(edm, TINY, unreached=BEFORE_BATCH_NORM)
