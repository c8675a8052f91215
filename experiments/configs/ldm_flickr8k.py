"""Latent diffusion (a U-Net on latents of 16x16x4) on photographs with sentences, 64x64, such as Flickr8k.

python -m experiments.train ldm_flickr8k --data captions:PATH --pretrained autoencoder=RUN:autoencoder

RUN is that of an autoencoder of the same photographs: `kl_autoencoder_shapes_captions --data captions:PATH
--images.size 64 --model.encoder.channels 32 --model.decoder.channels 32`.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.diffusion.guidance import ClassifierFree
from jaxgen.diffusion.samplers import DDIM
from jaxgen.moving_averages import HalfLife
from jaxgen.nets.kl_autoencoder import LatentDecoder, LatentEncoder
from jaxgen.nets.text.transformer import TextTransformer
from jaxgen.nets.unet.cross_attention import CrossAttentionUNet
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.text_to_image import latent_diffusion
from jaxgen.text_to_image.latents import Compressed

EXPERIMENT = Experiment(
    model=latent_diffusion.Config(
        image_shape=(64, 64, 3),
        autoencoder=Compressed(LatentEncoder(32, (1, 2, 4), 1), LatentDecoder(32, (1, 2, 4), 1), halvings=2),
        text=TextTransformer(128, 4, 4),
        denoiser=CrossAttentionUNet(64, (1, 2, 4), 1, attention=(16, 8, 4), heads=4),
        sampler=DDIM(50),
        guidance=ClassifierFree(3.0),
        optimizer=Optimizer(3e-4, Adam(), warm_up=1_000, clip_norm=1.0),
        average=HalfLife(2_000.0),
    ),
    data="captions:flickr8k",
    images=ImageOptions(size=64, channels=3, crop="random", flip=True, caption_length=128),
    steps=100_000,
    sample_every=5_000,
    checkpoint_every=2_500,
    num_samples=32,
)
