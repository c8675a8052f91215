from jaxgen.diffusion import ddpm
from jaxgen.diffusion.guidance import ClassifierFree
from jaxgen.diffusion.samplers import Ancestral
from jaxgen.diffusion.schedules import LinearBetas
from jaxgen.diffusion.weights import MinSNR
from jaxgen.moving_averages import Constant
from jaxgen.optimizers import Adam, Optimizer
from tests import contract
from tests.diffusion.networks import BEFORE_BATCH_NORM, Tiny

TINY = ddpm.Config(
    image_shape=(4, 4, 1),
    num_classes=3,
    denoiser=Tiny(),
    schedule=LinearBetas(10),
    weight=MinSNR(5.0),
    sampler=Ancestral(4),
    guidance=ClassifierFree(2.0, 0.01, 30.0),
    optimizer=Optimizer(1e-3, Adam()),
    average=Constant(0.5),
)


class TestContract(contract.OverDevices):
    case = contract.Case(ddpm, TINY, unreached=BEFORE_BATCH_NORM)
