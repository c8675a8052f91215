"""ALI (the paper's networks for CIFAR-10, a quarter as wide) on Fashion-MNIST, resized to 32x32.

python -m experiments.train ali_fashion_mnist --data-dir DIR
python -m experiments.evaluate runs/ali_fashion_mnist

The second command also measures reconstructions, and how far the latents tell the classes apart.

At step 10,000 (seed 0, 137 minutes on one core of an Intel Xeon that other work shared; alone about 40), 1,000 samples:
Frechet distance 32.4 [26.2, 38.6] in the features of a classifier that is right on 89.7 % of held-out images (held out
1.3), precision and recall .84 and .66, 37.2 % recognised (p >= 0.9; of held-out images 68.8). Reconstructions have the
class of their image in 52.5 %, the nearest training latent in 74.6 % (nearest image 81.5). Shapes are right and
surfaces grainy; trousers and tops come back as themselves, bags and sandals as something else.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.gans import ali
from jaxgen.moving_averages import Exponential
from jaxgen.nets.ali import ALIDiscriminator, ALIEncoder, ALIGenerator
from jaxgen.nets.initializers import Normal as NormalWeights
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal

WEIGHTS = NormalWeights(0.05)  # narrower layers need larger ones
ADAM = Optimizer(2e-4, Adam(b1=0.5))

EXPERIMENT = Experiment(
    model=ali.Config(
        image_shape=(32, 32, 1),
        prior=Normal(64),
        generator=ALIGenerator(8, initializer=WEIGHTS),
        encoder=ALIEncoder(8, initializer=WEIGHTS),
        discriminator=ALIDiscriminator(8, 128, 256, input_dropout=0.1, hidden_dropout=0.2, initializer=WEIGHTS),
        generator_optimizer=ADAM,
        discriminator_optimizer=ADAM,
        average=Exponential(0.999),
    ),
    data="fashion_mnist",
    images=ImageOptions(size=32),
    batch_size=64,
    steps=10_000,
    log_every=100,
    sample_every=1_000,
    checkpoint_every=1_000,
    pictures=("samples", "reconstructions", "codes"),
)
