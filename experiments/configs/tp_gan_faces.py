"""TP-GAN (an eighth as wide) on grey faces of CMU: frontal views of people it has not seen from turned ones, 64x64.

python -m experiments.identity fit --people folder:OTHERS --seed 1
python -m experiments.train tp_gan_faces --data frontal:PATH:0 --pretrained features=FILE.npz
python -m experiments.identity runs/tp_gan_faces --people folder:OTHERS

PATH is a folder of CMU Face Images, and `frontal:PATH:0` to `:5` are the six folds that hold out three people each.
OTHERS has a folder for each of 36 other people, as ORL has; the first command trains on them the network of the
identity loss and prints its FILE, the third another one (seed 0) that judges. Without a FILE that network is random.
The set has no landmarks: parts lie at the places of an average straight face, in turned faces, too.

Fold 0, step 1,500 (seed 0, about 50 minutes on one core of an Intel Xeon, beside two other trainings; 72 faces of three
people, 140 straight faces of 18): PSNR 14.2 dB [13.8, 14.5], of the turned faces themselves 11.4 [11.0, 11.7]. Left
14.3, right 13.8, up 14.5. Faces look straight on, with sunglasses where there were some, but are blurred: rank-1 is
2.8 % [.8, 9.6], of the turned faces 6.9 % [3.0, 15.3], of the straight ones 87.5 %. Fifteen people are few.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.moving_averages import Exponential
from jaxgen.nets.classifier import ConvClassifier
from jaxgen.nets.layer_maps import LayerMaps
from jaxgen.nets.tp_gan import CoarseDiscriminator, GlobalPathway, IdentityHead, LocalPathway
from jaxgen.optimizers import Adam, LinearDecay, Optimizer
from jaxgen.translation import tp_gan
from jaxgen.translation.templates import Place, Template

STEPS = 1_500
ADAM = Optimizer(5e-4, Adam(), LinearDecay(STEPS, begin=STEPS // 2))

EXPERIMENT = Experiment(
    model=tp_gan.Config(
        image_shape=(64, 64, 1),
        num_classes=18,
        template=Template(Place(19, 16, 16, 16), Place(19, 32, 16, 16), Place(26, 24, 16, 16), Place(34, 20, 16, 24)),
        generator=GlobalPathway(channels=8, code=64, kernels=(5, 3)),
        local=LocalPathway(channels=8),
        head=IdentityHead(),
        discriminator=CoarseDiscriminator(channels=16),
        features=LayerMaps(ConvClassifier(), ("Conv_4", "ConvCritic_0"), (36,)),
        generator_optimizer=ADAM,
        discriminator_optimizer=ADAM,
        average=Exponential(0.99),
    ),
    data="frontal:faces:0",
    images=ImageOptions(size=64, channels=1, flip=True),
    batch_size=8,
    steps=STEPS,
    log_every=50,
    sample_every=250,
    checkpoint_every=250,
    num_samples=24,
)
