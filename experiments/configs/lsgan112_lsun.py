"""LSGAN (the paper's networks for 112x112) on LSUN's bedrooms, or a folder of photos.

python -m experiments.train lsgan112_lsun --data folder:PATH

15,591,427 and 4,333,441 parameters: for a GPU. The paper's code sums over the batch where we average, which Adam does
not feel.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.gans import gan
from jaxgen.gans.objectives import LeastSquares
from jaxgen.nets.lsgan import LSGANDiscriminator, LSGANGenerator
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Uniform

EXPERIMENT = Experiment(
    model=gan.Config(
        image_shape=(112, 112, 3),
        value_range=(-1.0, 1.0),
        prior=Uniform(1024),
        objective=LeastSquares(),
        generator=LSGANGenerator(),
        discriminator=LSGANDiscriminator(),
        generator_optimizer=Optimizer(1e-3, Adam(b1=0.5)),
        discriminator_optimizer=Optimizer(1e-3, Adam(b1=0.5)),
    ),
    data="lsun/bedroom",
    images=ImageOptions(size=112),
    steps=100_000,
)
