"""`experiments.sizes`: what the updates of experiments cost."""

import jax
import pytest

from experiments import sizes as command
from experiments.benchmarks import sizes
from experiments.benchmarks.sizes import Size
from experiments.command_line.errors import UserError
from experiments.runs import experiment


def test_a_line_says_parameters_arithmetic_memory_and_speed():
    """784-128-64-12-2 and back, 109,542 + 110,324 parameters; two to four products of 2 FLOP a weight and example."""
    one = sizes.measure(experiment.load("ae_mnist"), 16, seconds=0.01)
    assert one.players == {"autoencoder": 219_866} and one.batch_size == 16
    weights = 2 * (784 * 128 + 128 * 64 + 64 * 12 + 12 * 2)
    assert 2 * 2 * 16 * weights < one.flops < 4 * 2 * 16 * weights
    assert one.memory_bytes > 3 * 4 * 219_866  # weights and two moments
    assert one.images_per_second is not None and one.images_per_second > 0


def test_the_share_of_the_peak_is_the_arithmetic_of_an_image_times_images_a_second():
    one = Size({"generator": 10, "critic": 2_000}, 4, 8 * 10**9, 1.25, 3 * 2**20, 50.0)
    cells = sizes._cells("name", one, 10**12)
    assert cells == ("name", "generator 10, critic 2,000", "4", "8.00", "1.2", "3", "50.0", "10.0%")
    assert sizes._cells("name", Size({}, 4, 8, 1.0, 0), None)[-2:] == ("", "")


def test_the_peak_of_the_device_is_above_zero():
    assert sizes.peak_flops(64, 1) > 0


def test_the_command_prints_a_line_for_each_name(capsys, monkeypatch):
    found = Size({"generator": 1}, 2, 3, 4.0, 5)
    monkeypatch.setattr(sizes, "measure", lambda *_: found)
    assert command.main(["ae_mnist", "vae_mnist", "--peak", "1"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("peak: 1,000 GFLOP a second on") and printed[1].startswith("experiment")
    assert [line.split()[0] for line in printed[2:]] == ["ae_mnist", "vae_mnist"]
    assert jax.devices()[0].device_kind in printed[0]


def test_no_name_and_an_unknown_one_are_refused():
    with pytest.raises(UserError, match="name one experiment or more"):
        command.main([])
    with pytest.raises(UserError, match="bigan_cifar10"):
        command.main(["bigan_cifar10"])
