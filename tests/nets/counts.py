"""Parameter counts, from shapes alone."""

import functools

import jax
import jax.numpy as jnp


def counts(generator, latent_dim, discriminator, image_shape):
    """Numbers of parameters of a generator and of a discriminator, nothing computed."""

    def init(net, *inputs):
        outputs, variables = jax.eval_shape(lambda: net.init_with_output(jax.random.key(0), *inputs))
        return outputs.shape, sum(leaf.size for leaf in jax.tree.leaves(variables["params"]))

    images, generated = init(generator, jnp.zeros((2, latent_dim)), image_shape)
    scores, judged = init(discriminator, jnp.zeros((2, *image_shape)), ())
    assert images == (2, *image_shape) and scores == (2,)
    return generated, judged


def given_texts(generator, discriminator, image_shape, features=1024, latent_dim=100):
    """Numbers of parameters of both players where they are given embeddings of texts, nothing computed."""
    texts, latents = jnp.zeros((2, features)), jnp.zeros((2, latent_dim))
    found = []
    for net, *inputs in (
        (generator, latents, texts, image_shape),
        (discriminator, jnp.zeros((2, *image_shape)), texts),
    ):
        shapes = jax.eval_shape(functools.partial(_init, net, inputs))
        found.append(sum(leaf.size for leaf in jax.tree.leaves(shapes["params"])))
    return tuple(found)


def _init(net, inputs):
    return net.init(jax.random.key(0), *inputs)
