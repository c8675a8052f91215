"""Latent diffusion (a U-Net on latents of 8x8x4, v-prediction) on drawn shapes, 32x32, asked for in sentences.

python -m experiments.train ldm_shapes_captions --pretrained autoencoder=runs/kl_autoencoder_shapes_captions:autoencoder

For a processor. The autoencoder is that of `kl_autoencoder_shapes_captions`; the network that reads the sentences
learns with the denoiser.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.diffusion.guidance import ClassifierFree
from jaxgen.diffusion.predictions import V
from jaxgen.diffusion.samplers import DDIM
from jaxgen.diffusion.schedules import CosineBetas
from jaxgen.moving_averages import HalfLife
from jaxgen.nets.kl_autoencoder import LatentDecoder, LatentEncoder
from jaxgen.nets.text.transformer import TextTransformer
from jaxgen.nets.unet.cross_attention import CrossAttentionUNet
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.text_to_image import latent_diffusion
from jaxgen.text_to_image.latents import Compressed

EXPERIMENT = Experiment(
    model=latent_diffusion.Config(
        image_shape=(32, 32, 3),
        caption_length=64,
        autoencoder=Compressed(LatentEncoder(16, (1, 2, 4), 1), LatentDecoder(16, (1, 2, 4), 1), halvings=2),
        text=TextTransformer(64, 2, 4),
        denoiser=CrossAttentionUNet(64, (1, 2), 1, attention=(8, 4), heads=4),
        schedule=CosineBetas(1000),
        prediction=V(),
        sampler=DDIM(50),
        guidance=ClassifierFree(3.0),
        optimizer=Optimizer(1e-3, Adam(), warm_up=200, clip_norm=1.0),
        average=HalfLife(200.0),
    ),
    data="shapes_captions",
    images=ImageOptions(caption_length=64),
    steps=3_000,
    checkpoint_every=500,
    num_samples=32,
)
