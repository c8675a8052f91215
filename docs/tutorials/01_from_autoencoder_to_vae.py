# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # From the autoencoder to the VAE
#
# **Question.** An autoencoder compresses an image to a few numbers and rebuilds it. Can we throw away the
# encoder, draw the few numbers at random, and get *new* images?
#
# Courses: Jodoin (IFT780), Lingrand and Precioso (DSAI), and Atienza's book in Bouchard's course:
# [courses](../courses.md).

# %%
import sys

import jax
import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from sklearn.neighbors import KNeighborsClassifier

sys.path += [".", "../.."]  # the repository, where `experiments` lies

from experiments import data
from jaxgen import parallel
from jaxgen.autoencoders import autoencoder, vae
from jaxgen.autoencoders.bounds import ELBO
from jaxgen.autoencoders.likelihoods import Gaussian
from jaxgen.losses import standard_normal_kl
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, Optimizer

if "get_ipython" not in globals():
    matplotlib.use("Agg")  # run as a script: pictures are drawn, and no window opens
plt.rcParams |= {"font.size": 15, "axes.titlesize": 17, "figure.constrained_layout.use": True}

# %% [markdown]
# ## The data
#
# 1,797 handwritten digits of 8x8 pixels, which come with scikit-learn; 297 of them are held out.

# %%
train_set, test_set = data.load("digits"), data.load("digits", "test")
train_images, test_images = train_set.images[:] / np.float32(255), test_set.images[:] / np.float32(255)


def show(rows, title, titles=()):
    """Rows of images, one under the other."""
    height, width = len(rows), len(rows[0])
    figure, axes = plt.subplots(height, width, figsize=(1.1 * width, 1.1 * height + 0.8), squeeze=False)
    figure.suptitle(title)
    for row, images in zip(axes, rows, strict=True):
        for ax, image in zip(row, images, strict=True):
            ax.imshow(image[..., 0], cmap="gray_r", vmin=0, vmax=1)
            ax.set(xticks=[], yticks=[])
    for ax, name in zip(axes[:, 0], titles, strict=False):
        ax.set_ylabel(name, rotation=0, ha="right", va="center")


show(test_images[:24].reshape(2, 12, 8, 8, 1), "Digits that no model here has seen")

# %% [markdown]
# ## One loop for all models
#
# A model of jaxgen is a module of pure functions: `init(config, key)` gives a state, `update(config, state,
# batch, key)` the next one, `sample(config, state, key, num)` images. `parallel.jit(..., steps=100)` runs 100
# updates in one call.


# %%
def train(model, config, num_steps=3000, batch_size=128, seed=0):
    """The state after that many updates, and the metrics of the last 100 of them."""
    state, metrics = model.init(config, jax.random.key(seed)), {}
    step, order = parallel.jit(model.update, config, steps=100), np.random.default_rng(seed)
    for keys in jax.random.split(jax.random.key(seed + 1), (num_steps // 100, 100)):
        batches = train_images[order.integers(len(train_images), size=(100, batch_size))]
        state, metrics = step(state, batches, keys)
    return state, {name: float(values.mean()) for name, values in metrics.items()}


# %% [markdown]
# ## The autoencoder
#
# An encoder $f$ and a decoder $g$ minimise the squared error
#
# $$L = \mathbb E\,\lVert g(f(x)) - x\rVert^2 .$$
#
# With two numbers an image we can look at all codes at once. The library keeps the mean and the covariance of the
# codes and shows them standardised: mean 0, covariance $I$.

# %%
NETWORKS = {"encoder": MLP((128, 64)), "decoder": MLP((64, 128)), "optimizer": Optimizer(1e-3, Adam())}
NETWORKS |= {"image_shape": (8, 8, 1)}

plane = autoencoder.Config(latent_dim=2, **NETWORKS)
plane_state, plane_metrics = train(autoencoder, plane)
print(plane_metrics)

# %% [markdown]
# ## The VAE
#
# The encoder gives a *distribution* $q(z|x) = N(\mu, \mathrm{diag}\,\sigma^2)$, and the loss asks it to stay near
# the prior $p(z) = N(0, I)$:
#
# $$L = \mathbb E\big[-\log p(x|z)\big] + \mathrm{KL}\big(q(z|x)\,\|\,p(z)\big), \qquad
# z = \mu + \sigma\varepsilon,\quad \varepsilon \sim N(0, I),$$
#
# $$\mathrm{KL} = \tfrac12 \sum_j \left(\mu_j^2 + \sigma_j^2 - 1 - \log\sigma_j^2\right).$$
#
# Two things go wrong on blackboards: the sign of the divergence, and $\sigma$ where $\sigma^2$ is meant. A check
# by sampling, $\mathrm{KL} = \mathbb E_q[\log q(z) - \log p(z)]$, finds both:

# %%
mean, logvar = np.array([[0.5, -1.0]], np.float32), np.array([[0.0, 0.7]], np.float32)
noise = np.random.default_rng(0).normal(size=(100_000, 2))
latents = mean + np.exp(logvar / 2) * noise
sampled = (latents**2 / 2 - noise**2 / 2 - logvar / 2).sum(axis=1).mean()
closed_form = float(standard_normal_kl(mean, logvar)[0])
print(f"closed form {closed_form:.3f}, by sampling {sampled:.3f} nats")

assert abs(closed_form - sampled) < 0.02

# %%
LIKELIHOOD = Gaussian(0.1)  # p(x|z): each pixel is known up to a variance of 0.1

smooth = vae.Config(latent_dim=2, likelihood=LIKELIHOOD, **NETWORKS)
smooth_state, smooth_metrics = train(vae, smooth)
print(smooth_metrics)

# %% [markdown]
# ## Where the codes lie
#
# The circle holds 86 % of the draws from $N(0, I)$, from which we want to sample. Of the VAE we show one draw
# from $q(z|x)$ for each image.

# %%
q, _ = vae.encode(smooth, smooth_state.autoencoder.variables, train_images)
noise = np.random.default_rng(1).normal(size=q.mean.shape).astype(np.float32)
codes = {
    "autoencoder": autoencoder.to_latents(plane, plane_state, train_images),
    "VAE": q.mean + np.exp(q.logvar / 2) * noise,
}
figure, axes = plt.subplots(1, 2, figsize=(14, 6.4))
for ax, (name, points) in zip(axes, codes.items(), strict=True):
    dots = ax.scatter(*points.T, c=train_set.labels, cmap="tab10", vmin=-0.5, vmax=9.5, s=14)
    ax.add_patch(plt.Circle((0, 0), 2, fill=False, lw=2))
    ax.set(xlim=(-3.5, 3.5), ylim=(-3.5, 3.5), aspect="equal", title=name)
figure.colorbar(dots, ax=axes, ticks=range(10), label="digit")

# %% [markdown]
# **Observe.** The autoencoder puts its codes where it likes: arms, and *holes* between and around them. Nothing
# in its loss asks what the decoder makes of a hole. A code of the VAE is a cloud and not a point: clouds overlap,
# and the decoder must make an image of everything between them.
#
# The decoder on a grid over the same square:


# %%
def grid(model, config, state, side=11):
    """Images decoded on a square grid from -2 to 2, put together to one."""
    places = np.linspace(-2, 2, side, dtype=np.float32)
    across, upwards = np.meshgrid(places, places[::-1])
    images = model.from_latents(config, state, np.stack([across.ravel(), upwards.ravel()], axis=1))
    framed = np.pad(np.asarray(images)[..., 0], ((0, 0), (1, 1), (1, 1)))
    return framed.reshape(side, side, 10, 10).swapaxes(1, 2).reshape(10 * side, 10 * side)


grids = {"autoencoder": grid(autoencoder, plane, plane_state), "VAE": grid(vae, smooth, smooth_state)}
figure, axes = plt.subplots(1, 2, figsize=(14, 7.4))
for ax, (name, decoded) in zip(axes, grids.items(), strict=True):
    ax.imshow(decoded, cmap="gray_r", vmin=0, vmax=1)
    ax.set(xticks=[], yticks=[], title=name)

# %% [markdown]
# In the plane there is little room for holes, and both look well. With ten latents nearly everything is a hole.
#
# ## What it costs, and what it buys
#
# In ten dimensions we cannot look, so we measure. Call an image **recognised** if its ten nearest training digits
# are all of one class.

# %%
neighbours = KNeighborsClassifier(10).fit(train_images.reshape(-1, 64), train_set.labels)


def recognised(images):
    """Share of the images whose ten nearest real digits agree."""
    return float((neighbours.predict_proba(np.asarray(images).reshape(-1, 64)).max(axis=1) == 1).mean())


def squared_error(model, config, state):
    """Mean squared error of reconstructions of held-out digits."""
    rebuilt = model.from_latents(config, state, model.to_latents(config, state, test_images))
    return float(np.mean((rebuilt - test_images) ** 2))


plain = autoencoder.Config(latent_dim=10, **NETWORKS)
plain_state, _ = train(autoencoder, plain)
variational = vae.Config(latent_dim=10, likelihood=LIKELIHOOD, **NETWORKS)
variational_state, variational_metrics = train(vae, variational)

samples = {
    "autoencoder": autoencoder.sample(plain, plain_state, jax.random.key(2), 1000),
    "VAE": vae.sample(variational, variational_state, jax.random.key(2), 1000),
}
errors = {
    "autoencoder": squared_error(autoencoder, plain, plain_state),
    "VAE": squared_error(vae, variational, variational_state),
}
show([images[:12] for images in samples.values()], "Samples from N(0, I), ten latents", list(samples))
for name, images in samples.items():
    print(f"{name:12} recognised {recognised(images):.0%}, error of reconstructions {errors[name]:.4f}")
print(f"{'held out':12} recognised {recognised(test_images):.0%}")

assert errors["autoencoder"] < errors["VAE"]  # the autoencoder reconstructs better,
assert recognised(samples["VAE"]) > recognised(samples["autoencoder"]) + 0.1  # and the VAE samples better

# %% [markdown]
# **Observe.** The autoencoder's latents have the right mean and the right covariance, and still most of its
# samples are no digits: a Gaussian of the right size falls into the holes. The VAE pays with blurred
# reconstructions: the price of its divergence, a few nats an image.
#
# ## On purpose: the mean instead of the sum
#
# A tempting line of code is `mse(x, y).mean() + kl`. But $-\log p(x|z)$ is a *sum* over the 64 pixels. The mean
# weights it 64 times less, which is a $\beta$-VAE with $\beta = 64$.

# %%
collapsed = vae.Config(latent_dim=10, likelihood=LIKELIHOOD, objective=ELBO(beta=64.0), **NETWORKS)
collapsed_state, collapsed_metrics = train(vae, collapsed)
collapsed_samples = vae.sample(collapsed, collapsed_state, jax.random.key(2), 1000)
show([samples["VAE"][:12], collapsed_samples[:12]], "Sum and mean over pixels", ["sum", "mean"])
print(f"sum:  {variational_metrics['kl']:.1f} nats an image in the code")
print(f"mean: {collapsed_metrics['kl']:.1f} nats")

assert collapsed_metrics["kl"] < 0.1 < variational_metrics["kl"]  # the code says nothing about its image,
assert collapsed_samples.std(axis=0).mean() < 0.5 * samples["VAE"].std(axis=0).mean()  # and samples are all alike

# %% [markdown]
# **Posterior collapse.** The cheapest code says nothing: $q(z|x) = p(z)$ costs no divergence, and the decoder
# answers every latent with nearly the mean digit. The loss was small all the time. Watch both of its terms.
#
# ## Exercises
#
# 1. Set `latent_dim` to 2, 5, 10 and 20 for both models. Which of them needs the right number, and why?
# 2. Make the likelihood's variance 1, then 0.01. To which $\beta$ does each correspond, and what do you expect of
#    samples and of reconstructions? (Up to a constant $-\log p(x|z) = \lVert x - \hat x\rVert^2 / 2\sigma^2$.)
# 3. Walk on a line between the codes of a 3 and an 8, in both models, and show what lies on the way.
