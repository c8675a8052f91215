"""Partial convolutions as published, on photographs of faces, 512x512, with irregular holes: for a GPU.

python -m experiments.train partial_conv_celeba_hq_published --data-dir DIR --pretrained features=vgg16.pth

`vgg16.pth` is torchvision's; its maps up to the third pooling are compared. For the paper's second phase:
--init-from RUN --model.generator.fixed-statistics true --model.generator-optimizer.learning-rate 5e-5.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.translation import partial_conv

EXPERIMENT = Experiment(
    model=partial_conv.Config(),
    data="celeb_a_hq/512",
    images=ImageOptions(size=512, flip=True),
    steps=500_000,
    batch_size=6,
    steps_per_call=50,
    log_every=500,
    sample_every=20_000,
    checkpoint_every=10_000,
    num_samples=24,
)
