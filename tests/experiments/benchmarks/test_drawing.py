"""`experiments.benchmarks.drawing`: what a sample of a finished run costs."""

import pytest

from experiments.benchmarks import drawing
from experiments.command_line.errors import UserError
from jaxgen.diffusion.samplers import DDIM
from tests.experiments import small_runs

TINY = ["--num", "2", "--rounds", "1", "--seconds", "0.01"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    models = {"gan": small_runs.GAN, "ddpm": small_runs.DENOISER}
    return {name: small_runs.save(model, folder / name) for name, model in models.items()}


def test_a_line_for_each_run_and_its_options(runs, capsys):
    steps = f"{runs['ddpm']} --sampler ddim --sampler.steps 1"
    assert drawing.main([str(runs["ddpm"]), steps, str(runs["gan"]), *TINY]) == 0
    head, first, second, third = capsys.readouterr().out.splitlines()
    assert head.split() == ["run", "ms", "a", "sample", "ratio", "(lowest", "to", "highest)"]
    assert first.startswith(f"{runs['ddpm']} ") and first.endswith("1 (1 to 1)")
    assert second.startswith(f"{steps} ") and third.startswith(f"{runs['gan']} ")


def test_options_in_quotes_are_those_that_draw(runs, monkeypatch):
    found = []
    monkeypatch.setattr(drawing.sampling, "drawer", lambda config: found.append(config.sampler) or (lambda *_: None))
    drawing.variant(f"'{runs['ddpm']}' --sampler.steps 2", 3).run()
    assert found == [DDIM(2)]


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        ([], "no run is given; name the folders of the runs to time, such as runs/edm_mnist"),
        (["''"], "the folder of a run comes first, but it is empty"),
        (["--", "--num 3"], "the folder of a run comes first, before --num"),
        (["nowhere"], "nowhere is not the folder of a run: it has no config.json"),
    ],
)
def test_bad_input_gets_a_sentence(argv, sentence):
    with pytest.raises(UserError, match=f"^{sentence}"):
        drawing.main(argv)


def test_no_samples_are_refused(capsys):
    with pytest.raises(SystemExit):
        drawing.main(["x", "--num", "0"])
    assert "--num is 0, but must be at least 1" in capsys.readouterr().err


def test_a_model_that_draws_for_examples_is_refused(runs, monkeypatch):
    monkeypatch.setattr(drawing.conditions, "takes_examples", lambda _: True)
    with pytest.raises(UserError, match="samples for examples of its data; name runs that draw from noise alone"):
        drawing.variant(str(runs["gan"]), 2)
