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
# # Conditions: asking for a digit
#
# **Question.** A trained generator draws *some* digit. How do we ask for a seven? And what does the model really
# learn from the labels that we give it?
#
# Courses: Jodoin (IFT780, conditional GAN), and Atienza's book in Bouchard's course (conditional GAN, CVAE):
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
from jaxgen.autoencoders import cvae
from jaxgen.autoencoders.likelihoods import Gaussian
from jaxgen.batches import Labelled
from jaxgen.gans import cgan
from jaxgen.gans.objectives import NonSaturating
from jaxgen.moving_averages import Exponential
from jaxgen.nets.conditioning import ConcatCondition
from jaxgen.nets.instance_noise import InstanceNoise
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal

if "get_ipython" not in globals():
    matplotlib.use("Agg")  # run as a script: pictures are drawn, and no window opens
plt.rcParams |= {"font.size": 15, "axes.titlesize": 17, "figure.constrained_layout.use": True}

# %% [markdown]
# ## Who judges?
#
# A person, or a classifier that has seen real digits alone. A judge must be judged first, on digits that are held
# out.

# %%
train_set, test_set = data.load("digits"), data.load("digits", "test")
images, labels = train_set.images[:] / np.float32(255), np.asarray(train_set.labels)
judge = KNeighborsClassifier(5).fit(images.reshape(-1, 64), labels)


def agreement(pictures, asked):
    """Share of the pictures in which the judge sees the digit that was asked for."""
    return float((judge.predict(np.asarray(pictures).reshape(-1, 64)) == asked).mean())


right = agreement(test_set.images[:] / np.float32(255), test_set.labels)
print(f"the judge is right on {right:.1%} of held-out digits")

assert right > 0.95

# %% [markdown]
# ## One loop, now with labels
#
# A batch is `Labelled(images, labels)`; the models turn labels into unit vectors.


# %%
def train(model, config, labels, num_steps=3000, batch_size=128, seed=0):
    """The state after that many updates."""
    state = model.init(config, jax.random.key(seed))
    step, order = parallel.jit(model.update, config, steps=100), np.random.default_rng(seed)
    for keys in jax.random.split(jax.random.key(seed + 1), (num_steps // 100, 100)):
        chosen = order.integers(len(images), size=(100, batch_size))
        state, _ = step(state, Labelled(images[chosen], labels[chosen]), keys)
    return state


ASKED = np.arange(1000, dtype=np.int32) % 10  # a hundred of each digit


def show(pictures, title):
    """The first 60 pictures; a column for each digit that was asked for."""
    figure, axes = plt.subplots(6, 10, figsize=(11, 7.4))
    figure.suptitle(title)
    for ax, picture in zip(axes.flat, pictures, strict=False):
        ax.imshow(picture[..., 0], cmap="gray_r", vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[])
    for digit, ax in enumerate(axes[0]):
        ax.set_title(digit)


# %% [markdown]
# ## The conditional VAE
#
# Everything is given the label $y$, and the formula is that of the VAE with $y$ behind each bar:
#
# $$L = \mathbb E\big[-\log p(x|z, y)\big] + \mathrm{KL}\big(q(z|x, y)\,\|\,p(z)\big).$$
#
# `ConcatCondition` appends $y$ to the input of any network. What the label says need not be in $z$: it is left
# with the *style*.

# %%
conditional_vae = cvae.Config(
    image_shape=(8, 8, 1),
    latent_dim=5,
    encoder=ConcatCondition(MLP((128, 64))),
    decoder=ConcatCondition(MLP((64, 128))),
    likelihood=Gaussian(0.05),
    optimizer=Optimizer(1e-3, Adam()),
)
vae_state = train(cvae, conditional_vae, labels)
vae_samples = cvae.sample(conditional_vae, vae_state, jax.random.key(2), 1000, ASKED)
show(vae_samples, "CVAE: the column is the digit that was asked for")
print(f"CVAE: {agreement(vae_samples, ASKED):.1%} as asked")

assert agreement(vae_samples, ASKED) > 0.85  # the label decides the digit

# %% [markdown]
# Now the same $z$ for all ten labels, a row for each $z$: slant and weight of the stroke go along a row.

# %%
styles = np.repeat(np.random.default_rng(3).normal(size=(6, 5)).astype(np.float32), 10, axis=0)
show(cvae.from_latents(conditional_vae, vae_state, styles, ASKED[:60]), "CVAE: one style a row")

# %% [markdown]
# ## The conditional GAN
#
# The discriminator judges *pairs*:
#
# $$\min_G \max_D\; \mathbb E[\log D(x|y)] + \mathbb E[\log(1 - D(G(z|y)\,|\,y))].$$
#
# The label stands behind the bar in both terms. A 3, however good, beside the label 7 is no pair of the data, and
# only therefore has $G$ a reason to obey. Leave $y$ out of the discriminator, and the generator may ignore it.

# %%
conditional_gan = cgan.Config(
    image_shape=(8, 8, 1),
    prior=Normal(16),
    objective=NonSaturating(smoothing=0.1),
    generator=ConcatCondition(MLP((128, 128), norm="batch")),
    discriminator=InstanceNoise(ConcatCondition(MLP((128, 128), negative_slope=0.2)), std=0.3, end=3000),
    generator_optimizer=Optimizer(1e-3, Adam(b1=0.5)),
    discriminator_optimizer=Optimizer(1e-3, Adam(b1=0.5)),
    average=Exponential(0.99),
)
gan_state = train(cgan, conditional_gan, labels)
gan_samples = cgan.sample(conditional_gan, gan_state, jax.random.key(2), 1000, ASKED)
show(gan_samples, "Conditional GAN: the column is the digit that was asked for")
print(f"conditional GAN: {agreement(gan_samples, ASKED):.1%} as asked")

assert agreement(gan_samples, ASKED) > 0.7

# %% [markdown]
# **Observe.** The CVAE's digits are smooth, the GAN's have edges, and now and then one is no digit at all.
#
# ## On purpose: shuffled labels
#
# Give each image the label of another. Not a pixel has changed, and not one class is rarer. What will the columns
# show?

# %%
shuffled = np.random.default_rng(4).permutation(labels)
shuffled_vae = train(cvae, conditional_vae, shuffled)
shuffled_samples = cvae.sample(conditional_vae, shuffled_vae, jax.random.key(2), 1000, ASKED)
show(shuffled_samples, "CVAE, trained on shuffled labels")
print(f"CVAE, shuffled labels: {agreement(shuffled_samples, ASKED):.1%} as asked; chance is 10 %")

assert agreement(shuffled_samples, ASKED) < 0.25  # no better than chance, nearly

# %% [markdown]
# Still digits, but any digit in any column: the model has learned $p(x|y)$, and here $p(x|y) = p(x)$. It has
# learned to *ignore* the label. How much a label moves the picture, at a fixed style:


# %%
def moved_by_label(state):
    """Mean absolute change of a pixel between two labels, at the same latent."""
    latents = np.random.default_rng(5).normal(size=(1000, 5)).astype(np.float32)
    one, other = (cvae.from_latents(conditional_vae, state, latents, (ASKED + shift) % 10) for shift in (0, 1))
    return float(np.abs(one - other).mean())


print(f"true labels {moved_by_label(vae_state):.3f}, shuffled labels {moved_by_label(shuffled_vae):.3f}")

assert moved_by_label(shuffled_vae) < 0.5 * moved_by_label(vae_state)

# %% [markdown]
# No loss and no error says that the labels are wrong: a join by the wrong column looks exactly like this. Look at
# the columns, and measure the agreement.
#
# ## Exercises
#
# 1. Exchange the labels 3 and 8 and leave the rest alone. Predict the confusion matrix of the judge, then draw
#    it.
# 2. Shuffle a third of the labels. Which share of the samples is as asked, and which did you expect?
# 3. Train the conditional GAN on shuffled labels. Does it ignore them too?
