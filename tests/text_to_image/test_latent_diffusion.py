import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.autoencoders import latent_maps
from jaxgen.batches import Captioned
from jaxgen.diffusion.guidance import ClassifierFree, NoGuidance
from jaxgen.diffusion.samplers import DDIM
from jaxgen.diffusion.schedules import ScaledLinearBetas
from jaxgen.moving_averages import Exponential
from jaxgen.nets.grid import GridDecoder, GridEncoder
from jaxgen.nets.text.transformer import TextTransformer
from jaxgen.text_to_image import latent_diffusion
from jaxgen.text_to_image.latents import Compressed, Factor, FirstBatch, Pixels
from tests import contract
from tests.text_to_image.denoisers import TinyTextDenoiser

TINY = latent_diffusion.Config(
    (4, 4, 1),
    caption_length=3,
    autoencoder=Compressed(GridEncoder(2, 1, 2), GridDecoder(2, 1, 2), halvings=1, latent_channels=2),
    scale=FirstBatch(),
    text=TextTransformer(4, 1, 1, dropout=0.25),
    caption_dropout=0.5,
    denoiser=TinyTextDenoiser(),
    schedule=ScaledLinearBetas(8),
    sampler=DDIM(2),
    guidance=ClassifierFree(2.0),
    average=Exponential(0.15),
)
PIXELS = dataclasses.replace(TINY, autoencoder=Pixels(), scale=Factor(1.0))
FROZEN = dataclasses.replace(TINY, text_frozen=True)
BATCH = Captioned(
    jax.random.uniform(jax.random.key(1), (4, 4, 4, 1), minval=-1.0),
    jnp.array([[97, 98, 99], [98, 0, 0], [99, 97, 0], [120, 121, 122]], jnp.uint8),
)
init = jax.jit(latent_diffusion.init, static_argnums=0)


class TestContract(contract.Suite):
    case = contract.Case(
        latent_diffusion,
        TINY,
        # the softmax does not feel what all its logits have in common
        unreached=("['denoiser']['text']['block_0']['attention']['keys']['bias']",),
        refused=("image_shape",),  # which halves
        inert=("sampler.limit.keep_noise",),  # latents have no range to be clipped to
        optimizers=(("denoiser", "optimizer"),),
    )


def test_the_loss_is_the_mean_error_of_the_noise_of_scaled_latents():
    text, denoiser = TextTransformer(4, 1, 2), TinyTextDenoiser(rate=0.0)
    config = dataclasses.replace(TINY, text=text, denoiser=denoiser, caption_dropout=0.0)
    state = init(config, jax.random.key(0))
    after, metrics = jax.jit(latent_diffusion.update, static_argnums=0)(config, state, BATCH, jax.random.key(2))
    key_latents, key_times, key_noise, _, _ = jax.random.split(jax.random.key(2), 5)
    posterior, _ = latent_maps.encode(config.autoencoder, state.autoencoder.variables, BATCH.images)
    draw = lambda key, shape: jax.vmap(lambda i: jax.random.normal(jax.random.fold_in(key, i), shape))(jnp.arange(4))  # noqa: E731
    maps = latent_maps.draw(posterior, draw(key_latents, (2, 2, 2)))
    np.testing.assert_allclose(after.scale, 1 / np.std(maps), rtol=1e-4)
    times = config.times.draw(config.schedule, key_times, 4)
    level, noise = config.schedule.level(times), draw(key_noise, (2, 2, 2))
    noisy = level.alpha[:, None, None, None] * maps / np.std(maps) + level.sigma[:, None, None, None] * noise
    context, _ = latent_diffusion.read(config, state.denoiser.variables, None, BATCH.captions)
    params = {"params": state.denoiser.params["denoiser"]}
    found = np.asarray(config.denoiser.apply(params, noisy, times, context, (2, 2, 2)))
    np.testing.assert_allclose(metrics["loss"], np.square(found - noise).mean(), rtol=1e-4)


def test_the_factor_is_that_of_the_first_batch_alone():
    update, state = jax.jit(latent_diffusion.update, static_argnums=0), init(TINY, jax.random.key(0))
    first, _ = update(TINY, state, BATCH, jax.random.key(3))
    second, _ = update(TINY, first, BATCH._replace(images=0.1 * BATCH.images), jax.random.key(4))
    assert first.scale != state.scale and second.scale == first.scale
    fixed = dataclasses.replace(TINY, scale=Factor(0.25))
    assert init(fixed, jax.random.key(0)).scale == 0.25


@pytest.mark.parametrize("config", [TINY, FROZEN], ids=["joint", "frozen"])
def test_a_text_network_learns_with_the_denoiser_or_is_frozen(config):
    state = init(config, jax.random.key(0))
    after, _ = jax.jit(latent_diffusion.update, static_argnums=0)(config, state, BATCH, jax.random.key(5))
    assert set(state.denoiser.params) == ({"denoiser"} if config.text_frozen else {"denoiser", "text"})
    if config.text_frozen:
        jax.tree.map(np.testing.assert_array_equal, after.text.variables, state.text.variables)
    else:
        before = state.denoiser.params["text"]["tokens"]["embedding"]
        moved = jnp.abs(after.denoiser.params["text"]["tokens"]["embedding"] - before).max(1) > 0
        assert set(np.flatnonzero(moved)) <= {0, *np.unique(BATCH.captions).tolist()} and moved.any()


@pytest.mark.parametrize("config", [TINY, PIXELS], ids=["latents", "pixels"])
def test_samples_follow_their_captions_and_guidance_without_a_scale_is_the_network(config):
    """Scale 1 is the network as it is; with scale 0, and without captions, all is of the empty caption."""
    state, key = init(config, jax.random.key(0)), jax.random.key(6)
    state = state.replace(ema=jax.tree.map(lambda weights: 3 * weights, state.ema))  # on which little depends at first

    def draw(guidance, captions):
        chosen = dataclasses.replace(config, guidance=guidance)
        return jax.jit(lambda state: latent_diffusion.sample(chosen, state, key, 4, captions))(state)

    plain, others = (draw(NoGuidance(), captions) for captions in (BATCH.captions, BATCH.captions[::-1]))
    assert jnp.abs(plain - others).max() > 1e-3
    np.testing.assert_allclose(draw(ClassifierFree(1.0), BATCH.captions), plain, atol=1e-5)
    empty = draw(NoGuidance(), None)
    np.testing.assert_allclose(draw(ClassifierFree(0.0), BATCH.captions), empty, atol=1e-4)
    np.testing.assert_allclose(draw(NoGuidance(), jnp.zeros_like(BATCH.captions)), empty, atol=1e-5)


def test_captions_of_another_length_and_guidance_by_a_classifier_are_refused():
    state = jax.eval_shape(lambda: latent_diffusion.init(TINY, jax.random.key(0)))
    with pytest.raises(ValueError, match="bytes of a caption is 2, but must be 3, as caption_length says"):
        jax.eval_shape(lambda s: latent_diffusion.sample(TINY, s, jax.random.key(0), 4, BATCH.captions[:, :2]), state)
    with pytest.raises(ValueError, match=r"caption_dropout is 1.5, but must be in \[0, 1\]"):
        dataclasses.replace(TINY, caption_dropout=1.5)
