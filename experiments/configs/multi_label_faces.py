"""Labels of faces, 40 at a time, by a conditional GAN (small convolutional networks) on 2,400 faces of CelebA, 32x32.

python -m experiments.train multi_label_faces --data-dir DIR
python -m experiments.evaluate runs/multi_label_faces
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.gans import multi_label

EXPERIMENT = Experiment(
    model=multi_label.Config(),
    data="celeba_subset",
    images=ImageOptions(size=32),
    steps=1_000,
    checkpoint_every=500,
    eval_every=250,
    pictures=(),
)
