"""GANs beside a well-known package: its networks, equal time, and the row of a table."""

import numpy as np
import pytest

from experiments.benchmarks import equal_time, peers
from experiments.benchmarks.blocks import Blocks
from experiments.benchmarks.judge import Judge, Verdict
from experiments.benchmarks.peers import Options
from experiments.benchmarks.rivals import parameters, pytorch_gan
from experiments.data.images import ImageSet
from experiments.evaluation.outputs import Outputs
from jaxgen.train_state import players

COUNTS = {
    "gan": (1_510_032, 533_505),
    "dcgan": (1_049_985, 98_113),
    "wgan_gp": (1_510_032, 533_505),
    "cgan": (1_757_412, 1_055_845),
    "acgan": (1_050_985, 103_243),
    "infogan": (836_993, 104_269),
}
"""Of the package's generator and discriminator, by running its files."""

NUMBERS = np.random.default_rng(0)
TRAIN = ImageSet("some", NUMBERS.integers(0, 256, (30, 28, 28, 1)).astype(np.uint8), np.arange(30) % 10, 10)


def verdict(recognised, as_asked=None):
    asked = None if as_asked is None else np.array(as_asked)
    return Verdict(12.34, np.array(recognised), 0.125, asked)


@pytest.mark.parametrize("name", pytorch_gan.NAMES)
def test_networks_have_as_many_parameters_as_the_packages(name):
    pytest.importorskip("torch")
    assert tuple(parameters(network) for network in pytorch_gan.networks_of(name)) == COUNTS[name]


def moved(network, before):
    return {name for name, value in network.state_dict().items() if not (value == before[name]).all()}


@pytest.mark.parametrize("name", pytorch_gan.NAMES)
def test_their_players_both_learn_and_samples_are_digits_of_the_size(name, monkeypatch):
    pytest.importorskip("torch")
    networks = pytorch_gan.networks_of(name)
    monkeypatch.setattr(pytorch_gan, "networks_of", lambda name: networks)
    training = peers.theirs(name, TRAIN, 0)
    images, asked = training.draw(20)
    assert images.shape == (20, 28, 28, 1) and images.dtype == np.uint8
    assert (asked is not None) == (name in ("cgan", "acgan"))
    before = [{key: value.clone() for key, value in network.state_dict().items()} for network in networks]
    training.block(0)
    for network, old in zip(networks, before, strict=True):
        free = (
            {"1.4.bias"} if name == "wgan_gp" and network is networks[1] else set()
        )  # of it Wasserstein's loss is free
        assert moved(network, old) == set(old) - free


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", peers.EXPERIMENTS)
def test_our_experiments_are_trained_and_drawn(name, monkeypatch):
    monkeypatch.setattr(peers, "BLOCK", 1)
    made = []
    monkeypatch.setattr(peers, "Blocks", lambda *given: made.append(Blocks(*given)) or made[0])
    training = peers.ours(peers.EXPERIMENTS[name], TRAIN, 0)
    training.block(0)
    images, asked = training.draw(4)
    assert images.shape == (4, 28, 28, 1) and images.dtype == np.uint8
    assert (asked is not None) == (name in ("cgan", "acgan"))
    assert all(player.step > 0 for player in players(made[0].state).values())


def test_a_row_has_both_sides_and_the_difference_of_what_is_recognised():
    first, second = verdict([True, False] * 50), verdict([True] * 75 + [False] * 25)
    cells = peers.row("gan", 3, (1_200, 4_000), (first, second)).split()
    assert cells[:4] == ["gan", "3", "1,200", "4,000"]
    assert cells[4:10] == ["50.0%", "75.0%", "0.125", "0.125", "12.3", "12.3"]
    half = 1.96 * np.sqrt(0.25 / 99 + 0.1875 / 99)
    assert cells[10:] == ["+25.0%", f"[{0.25 - half:+.1%},", f"{0.25 + half:+.1%}]"]


def test_where_a_class_is_asked_for_the_difference_is_that_of_the_share_as_asked():
    both = [verdict([True] * 10, [True] * share + [False] * (10 - share)) for share in (4, 9)]
    cells = peers.row("cgan", 0, (1, 2), both).split()
    assert cells[10:13] == ["40.0%", "90.0%", "+50.0%"]


def test_each_side_trains_for_its_minutes_and_is_judged(monkeypatch):
    now, done = [0.0], {"theirs": 0, "ours": 0}

    def side(name, seconds):
        def block(number):
            assert number == done[name]
            now[0] += seconds
            done[name] += 1

        return peers.Training(block, lambda num: (TRAIN.images[:num], None))

    monkeypatch.setattr(peers, "theirs", lambda name, train, seed: side("theirs", 6.0))
    monkeypatch.setattr(peers, "ours", lambda name, train, seed: side("ours", 3.0))
    monkeypatch.setitem(equal_time.CLOCKS, "wall", lambda: now[0])

    def outputs(images):
        flat = images.reshape(len(images), -1).astype(np.float32)
        return Outputs(flat[:, :2], flat[:, :10])

    options = Options(models=("gan",), minutes=0.2, seeds=(5,), num_samples=20, clock="wall")
    _, line = peers.lines(TRAIN, Judge(outputs, np.asarray(TRAIN.images)), options)
    assert line.split()[:4] == ["gan", "5", "40", "80"] and done == {"theirs": 2, "ours": 4}


def test_bad_options_are_refused():
    with pytest.raises(ValueError, match="--models is stylegan, but must be of gan, dcgan"):
        Options(models=("gan", "stylegan"))
    with pytest.raises(ValueError, match="--minutes is 0"):
        Options(minutes=0)
