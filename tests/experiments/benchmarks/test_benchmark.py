"""The benchmark's own arithmetic and bookkeeping; what it times needs PyTorch and is run by hand."""

import importlib.util
import subprocess
import sys
from functools import partial

import jax
import jax.numpy as jnp
import pytest
from jax import lax

from experiments import benchmark
from experiments.benchmarks import clock, comparison, costs, history, scaling, updates
from experiments.benchmarks.arithmetic import flops
from experiments.benchmarks.clock import Variant
from experiments.command_line import system
from experiments.command_line.errors import UserError
from experiments.data.options import StorageOptions

LAYOUT = ("NHWC", "HWIO", "NHWC")
MEASURED = {
    "parameters": 10,
    "gflop": 1.0,
    "torch_gflop": 2.0,
    "bound": 0.8,
    "timings": {comparison.EAGER: {"milliseconds": 2.0, "ratio": 1.0, "lowest": 1.0, "highest": 1.0}},
    "failed": {"PyTorch, compiled": "no second derivative"},
}


def test_a_matrix_product_is_two_flops_for_each_product():
    assert flops(jnp.dot, jnp.zeros((3, 5)), jnp.zeros((5, 7))) == 2 * 3 * 5 * 7


def test_a_convolution_counts_its_kernel_for_each_output():
    images, kernel = jnp.zeros((2, 8, 8, 3)), jnp.zeros((3, 3, 3, 4))
    strided = partial(lax.conv_general_dilated, window_strides=(2, 2), padding="SAME", dimension_numbers=LAYOUT)
    assert flops(strided, images, kernel) == 2 * (2 * 4 * 4 * 4) * (3 * 3 * 3)


def test_a_loop_counts_as_often_as_it_runs_and_a_condition_by_its_dearest_branch():
    def loop(x):
        return lax.scan(lambda x, _: (x @ x, None), x, length=6)[0]

    def branch(x):
        return lax.cond(x[0, 0] > 0, lambda x: x @ x @ x, lambda x: x, x)

    assert flops(loop, jnp.zeros((4, 4))) == 6 * 2 * 4**3
    assert flops(jax.jit(branch), jnp.zeros((4, 4))) == 2 * 2 * 4**3


def test_the_flops_of_an_mlps_gradient_are_those_of_its_products():
    def loss(weights, x):
        return (jnp.tanh(x @ weights[0]) @ weights[1]).sum()

    weights = [jnp.zeros((5, 7)), jnp.zeros((7, 3))]
    forward, of_weights, of_hidden = 2 * 2 * (5 * 7 + 7 * 3), 2 * 2 * (5 * 7 + 7 * 3), 2 * 2 * 7 * 3
    assert flops(jax.grad(loss), weights, jnp.zeros((2, 5))) == forward + of_weights + of_hidden


def test_ratios_are_those_within_a_round():
    ticks = iter([0.0, 0.5, 1.5, 2.0])  # begun, one call, time is up, read once more
    times = [{"slow": 2.0, "fast": 1.0}, {"slow": 4.0, "fast": 1.0}]
    timing = clock._timing("fast", "slow", times)
    assert (timing.milliseconds, timing.ratio, timing.lowest, timing.highest) == (1000.0, 3.0, 2.0, 4.0)
    assert clock.seconds_per_update(Variant(lambda: None, updates=2), 1.0, lambda: next(ticks)) == 1.0


def test_every_case_trains_as_many_parameters_as_its_networks_have():
    counts = {name: updates.parameters(case.config) for name, case in updates.cases().items()}
    assert counts["wgan_gp_digits"] == 304_961
    assert counts["vae_mnist"] == 784 * 500 + 500 + 501 * 40 + 21 * 500 + 501 * 784
    assert counts["gan_28"] == counts["wgan_gp_28"] == 2_039_953  # 1.51 million and 0.53 million
    assert counts["sngan_resnet_32"] == 4_276_739 + 1_053_824
    assert counts["wgan_gp_resnet_32"] == 1_204_483 + 1_053_825  # generator and critic of the authors' code


def test_the_flops_of_a_vaes_update_are_those_of_its_four_layers():
    case = updates.cases()["vae_mnist"]
    layers = [784 * 500, 500 * 40, 20 * 500, 500 * 784]
    assert updates.arithmetic(case) == 2 * 128 * (3 * sum(layers) - layers[0])  # the images need no gradient


def test_history_gives_the_last_line_of_the_same_case_and_machine(tmp_path):
    path, machine = tmp_path / "runs" / "history.jsonl", {"processor": "a"}
    assert history.last(path, "vae", machine, "timings") == {}
    for case, where in (("vae", {"processor": "a"}), ("vae", {"processor": "b"}), ("gan", {"processor": "a"})):
        timings = {comparison.EAGER: {"ratio": float(len(case + where["processor"]))}}
        history.add(path, {"case": case, "machine": where, "timings": timings})
    assert history.last(path, "vae", machine, "timings") == {comparison.EAGER: {"ratio": 4.0}}


def test_the_table_says_what_could_not_be_timed():
    lines = "\n".join(comparison.table("vae", 64, MEASURED, {comparison.EAGER: {"ratio": 1.5}}))
    assert "10 parameters, batch 64, 1.00 GFLOP an update, 2.00 in PyTorch" in lines
    assert "would take 0.80 ms" in lines
    row = next(line for line in lines.splitlines() if line.startswith(comparison.EAGER))
    assert row.removeprefix(comparison.EAGER).split() == ["2.00", "2.50", "1.00", "1.00", "to", "1.00", "1.50"]
    assert "not timed: no second derivative" in lines


def test_an_unknown_case_is_refused_with_those_there_are():
    with pytest.raises(UserError, match=r"no case is named 'vea'.*vae_mnist"):
        benchmark.main(["vea"])


@pytest.mark.skipif(importlib.util.find_spec("torch") is not None, reason="PyTorch is there")
def test_without_pytorch_the_cure_is_named():
    with pytest.raises(UserError, match=r"benchmark\]"):
        benchmark.main(["vae_mnist"])


def test_costs_stand_beside_those_of_the_last_run_on_this_machine(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(benchmark.costs, "measure", lambda: iter([("import", costs.Cost(next(seconds), "s"))]))
    seconds, path = iter([1.5, 2.5, 3.5]), tmp_path / "history.jsonl"
    for processor in ("a", "a", "b"):
        monkeypatch.setattr(system, "processor", lambda processor=processor: processor)
        assert benchmark.main([benchmark.COSTS, "--history", str(path)]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if line.startswith("import")]
    assert lines == [["import", "1.50", "s"], ["import", "2.50", "s", "1.50"], ["import", "3.50", "s"]]
    assert len(path.read_text(encoding="utf-8").splitlines()) == 3


def test_an_import_is_timed_in_an_interpreter_of_its_own():
    module = "xml.sax.expatreader"
    sys.modules.pop(module, None)
    assert costs._import(module) > 0
    assert module not in sys.modules
    with pytest.raises(subprocess.CalledProcessError):
        costs._import("jaxgen.nowhere")


def test_feeds_and_samplers_are_timed_for_as_long_as_is_asked():
    assert costs._feed(StorageOptions(device_bytes=0), seconds=0.01) > 0
    assert costs._sampler("wgan_gp_digits", num=4, seconds=0.01) > 0


def test_growth_is_the_exponent_between_two_rows():
    small, large = scaling.Row(1, 10.0, 1.0, 8.0), scaling.Row(2, 80.0, 4.0, 8.0)
    assert scaling.exponent(small, large, "milliseconds") == pytest.approx(1.5)
    assert scaling.exponent(small, large, "mebibytes") == 0.0
    lines = scaling.table("batch", [small, large])
    assert "1.50" in lines[2] and "1.50" not in lines[1]


@pytest.mark.exhaustive
def test_work_grows_along_every_axis_but_devices():
    for axis in ("batch", "width"):
        work = [updates.arithmetic(size.case) for size in scaling.sizes(axis)]
        assert len(work) >= 3 and work == sorted(set(work)), axis
    assert [size.devices for size in scaling.sizes("devices")] == [1, 2, 4]


def test_the_picture_of_growth_stands_on_logarithms(monkeypatch):
    groups = []
    monkeypatch.setattr(scaling.diagrams, "scatter", lambda given, *labels: groups.extend(given))
    scaling.picture({"batch": [scaling.Row(1, 10.0, 1.0, 8.0), scaling.Row(2, 80.0, 4.0, 8.0)]})
    assert groups[0].points.tolist() == [[0.0, 0.0], [2.0, 3.0]]
