"""Stable Diffusion 1 in its published sizes, 512x512, with a network of the size of CLIP's that reads bytes: for GPUs.

python -m experiments.train ldm_laion_published --data captions:DIR --pretrained autoencoder=RUN:autoencoder text=SOURCE

RUN is a KL autoencoder of the default settings, SOURCE the weights of a network that reads captions. The authors' reads
77 tokens of words (CLIP ViT-L/14).
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.diffusion.guidance import ClassifierFree
from jaxgen.diffusion.samplers import DDIM
from jaxgen.diffusion.schedules import ScaledLinearBetas
from jaxgen.nets.text.transformer import TextTransformer
from jaxgen.nets.unet.cross_attention import STABLE_DIFFUSION
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.text_to_image import latent_diffusion
from jaxgen.text_to_image.latents import Factor

EXPERIMENT = Experiment(
    model=latent_diffusion.Config(
        image_shape=(512, 512, 3),
        scale=Factor(0.18215),
        text=TextTransformer(768, 12, 12),
        text_frozen=True,
        denoiser=STABLE_DIFFUSION.clone(remat=True),
        schedule=ScaledLinearBetas(),
        sampler=DDIM(50),
        guidance=ClassifierFree(7.5),
        optimizer=Optimizer(1e-4, Adam(), warm_up=10_000, weight_decay=0.01),
    ),
    data="captions:laion",
    images=ImageOptions(size=512, channels=3, caption_length=128),
    steps=500_000,
    batch_size=2_048,
    steps_per_call=1,
    sample_every=10_000,
    checkpoint_every=5_000,
    num_samples=8,
)
