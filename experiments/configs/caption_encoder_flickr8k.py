"""Caption encoder (char-CNN-RNN, 64 features, contrastive) on 850 photographs of 32x32 with five captions each.

python -m experiments.train caption_encoder_flickr8k --data-dir DIR
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.nets.conv import ConvCritic
from jaxgen.nets.initializers import LeCunNormal
from jaxgen.nets.text.char_cnn_rnn import CharCNNRNN
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.text_to_image import caption_encoder
from jaxgen.text_to_image.matching import Contrastive

EXPERIMENT = Experiment(
    model=caption_encoder.Config(
        image_shape=(32, 32, 3),
        caption_length=128,
        features=64,
        image_encoder=ConvCritic(16, norm="batch"),
        text_encoder=CharCNNRNN((64, 64), (3, 3), width=64, initializer=LeCunNormal()),
        objective=Contrastive(),
        optimizer=Optimizer(1e-3, Adam(), weight_decay=0.05),
    ),
    data="flickr8k_subset",
    images=ImageOptions(size=32, crop="random", flip=True, caption_length=128),
    batch_size=64,
    steps=2_000,
    sample_every=500,
    checkpoint_every=500,
    pictures=("retrievals",),
)
