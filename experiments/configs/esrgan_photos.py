"""ESRGAN (2 blocks, half as wide) on photographs, four times as large, 64x64: features of a classifier trained here.

python -m experiments.train esrgan_photos --init-from runs/esrgan_psnr_photos --pretrained features=FILE.npz

For a processor. FILE.npz is the classifier that `evaluate` fits to `tiny_imagenet_subset` and keeps in its cache; its
second convolution takes the place of VGG-19's sixteenth. Without the file the features are random.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.gans.objectives import Relativistic
from jaxgen.nets.classifier import ConvClassifier
from jaxgen.nets.layer_maps import LayerMaps
from jaxgen.nets.rrdb import RRDBNet
from jaxgen.nets.srgan import SRGANDiscriminator
from jaxgen.optimizers import Adam, Cosine, Optimizer
from jaxgen.translation import srgan
from jaxgen.translation.errors import AbsoluteError

STEPS = 1_500
ADAM = Optimizer(1e-4, Adam(b2=0.99), Cosine(STEPS, final=0.1))

EXPERIMENT = Experiment(
    model=srgan.Config(
        input_shape=(16, 16, 3),
        image_shape=(64, 64, 3),
        value_range=(0.0, 1.0),
        generator=RRDBNet(channels=32, growth=16, blocks=2),
        discriminator=SRGANDiscriminator(channels=16, width=100, halving_kernel=4, use_bias=False),
        features=LayerMaps(ConvClassifier(), ("Conv_1",), (16,)),
        objective=Relativistic(),
        error=AbsoluteError(),
        error_weight=1e-2,
        feature_error=AbsoluteError(),
        feature_weight=1.0,
        adversarial_weight=2.5e-3,
        generator_optimizer=ADAM,
        discriminator_optimizer=ADAM,
    ),
    data="super_resolution:T91/HR,flickr8k_subset",
    images=ImageOptions(size=16, target_factor=4, channels=3, crop="random", flip=True),
    steps=STEPS,
    batch_size=16,
    steps_per_call=25,
    log_every=100,
    sample_every=500,
    checkpoint_every=500,
    num_samples=24,
)
