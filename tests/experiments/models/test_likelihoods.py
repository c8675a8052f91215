"""Which images a likelihood does not suit."""

import numpy as np
import pytest

from experiments import data
from experiments.data.images import ImageSet
from experiments.models import likelihoods
from experiments.training import messages
from jaxgen.autoencoders import vae
from jaxgen.autoencoders.likelihoods import Bernoulli, DiscretizedLogistic, Gaussian
from tests.experiments import small_runs
from tests.experiments.small_runs import GAN

random = np.random.default_rng(0)
BITS = 255 * random.integers(0, 2, (8, 8, 8, 1), np.uint8)
GREY = random.integers(90, 170, (8, 8, 8, 1), np.uint8)
COLOUR = random.integers(0, 256, (8, 8, 8, 3), np.uint8)
DIGITS = np.asarray(data.load("digits").batch(np.arange(100)))


def model(likelihood):
    return vae.Config(image_shape=(8, 8, 1), likelihood=likelihood)


@pytest.mark.parametrize(
    ("config", "pixels", "said"),
    [
        (model(Bernoulli()), COLOUR, "takes each colour value for a bit"),
        (model(Bernoulli("never")), COLOUR, "takes each colour value for a bit"),
        (model(Bernoulli()), GREY, "makes a bit of each grey level"),
        (model(Bernoulli("once")), GREY, "makes a bit of each grey level"),
        (model(Bernoulli("threshold")), GREY, "makes a bit of each grey level"),
        (model(Bernoulli("never")), GREY, None),
        (model(Bernoulli()), BITS, None),
        (model(Bernoulli()), DIGITS, None),
        (model(Bernoulli()), COLOUR.astype(np.float32), None),
        (model(Gaussian()), COLOUR, None),
        (model(DiscretizedLogistic()), COLOUR, None),
        (GAN, COLOUR, None),
    ],
)
def test_a_bernoulli_likelihood_of_what_is_no_bits_is_told_with_the_cure(config, pixels, said):
    found = likelihoods.warnings(config, pixels)
    assert len(found) == (said is not None)
    if said:
        assert said in found[0] and "train conv_vae_photos" in found[0]


def test_bits_have_no_noise_and_one_grey_level_has_nothing_else():
    assert likelihoods.noise_of_bits(BITS) == 0
    assert likelihoods.noise_of_bits(np.full_like(GREY, 128)) == pytest.approx(1)
    assert likelihoods.noise_of_bits(np.zeros_like(GREY)) == 0


def test_a_run_says_so_at_its_beginning():
    experiment = small_runs._experiment(model(Bernoulli()))
    lines = messages.about_data(ImageSet("folder:photos", COLOUR), experiment)
    assert any(line.startswith("warning: the Bernoulli likelihood takes each colour value") for line in lines)
