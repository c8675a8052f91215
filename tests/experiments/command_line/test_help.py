"""Each option of each command has words of explanation."""

import re

import pytest

from experiments import evaluate, export, inception, likelihood, report, results, sample, sizes, sweep, train, translate
from tests.experiments import small_runs


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Of a run whose sampler may change."""
    return small_runs.save(small_runs.DENOISER, tmp_path_factory.mktemp("help") / "run")


def unexplained(text: str) -> list[str]:
    """Options of a help text behind which nothing stands but their kind and default."""
    lines = [line.strip("│ ") for line in text.splitlines()]
    found, option = {}, ""
    for line in lines:
        if line.startswith("-") and line.strip("-"):
            option, _, rest = line.partition("  ")
            found[option] = rest
        elif option:
            found[option] += " " + line
    words = {option: re.sub(r"\(default:.*?\)|\[.*?\]|\{.*?\}", "", rest) for option, rest in found.items()}
    return [option for option, rest in words.items() if len(re.findall(r"[a-z]{2,}", rest)) < 2]


@pytest.mark.parametrize(
    "command",
    [sample, evaluate, export, sweep, likelihood, translate],
    ids=lambda command: command.__name__.rpartition(".")[2],
)
def test_every_option_of_a_command_on_a_run_is_explained(command, folder, capsys):
    with pytest.raises(SystemExit):
        command.main([str(folder), "--help"])
    text = capsys.readouterr().out
    own = text.partition("sampler options")[0]  # those of a model's settings name the field of its class
    assert own.count(" --") > 1 and unexplained(own) == []


@pytest.mark.parametrize(
    ("command", "argv"),
    [(train, ["wgan_gp_digits"]), (results, []), (report, []), (sizes, []), (inception, [])],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_every_option_of_a_command_is_explained(command, argv, capsys):
    with pytest.raises(SystemExit):
        command.main([*argv, "--help"])
    own = capsys.readouterr().out.partition("model options")[0]
    assert own.count(" -") > 1 and unexplained(own) == []


def test_an_option_without_words_would_be_found():
    text = "│ --num {None}|INT        (default: None)   │\n│ --out PATH\n│     where it is written (default: None) │"
    assert unexplained(text) == ["--num {None}|INT"]
