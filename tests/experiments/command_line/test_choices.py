"""A setting of another kind is chosen by its name, the same way for every union."""

import dataclasses

import pytest

from experiments.command_line import choices, cli
from experiments.command_line.errors import UserError
from experiments.runs.experiment import Experiment
from jaxgen.diffusion import edm, flow_matching
from jaxgen.diffusion.couplings import OptimalTransport
from jaxgen.diffusion.grids import Even, Karras, Leading
from jaxgen.diffusion.guidance import ByClassifier, ClassifierFree
from jaxgen.diffusion.predictions import V, Velocity
from jaxgen.diffusion.samplers import Churn, DPMSolver, Euler, Heun
from jaxgen.diffusion.schedules import Cosine, Straight
from jaxgen.diffusion.weights import EDMWeight, MinSNR, Unweighted
from jaxgen.gans import gan
from jaxgen.gans.objectives import Hinge
from jaxgen.moving_averages import NoAverage
from jaxgen.nets.time_mlp import TimeMLP
from jaxgen.nets.unet.embeddings import Fourier
from jaxgen.optimizers import SGD, Adam, LinearDecay, Optimizer
from jaxgen.priors import Normal, Uniform

FLOW = flow_matching.Config(denoiser=TimeMLP())


def parsed(config, *argv):
    """The model's settings after options of `train`."""
    found = cli.parse(Experiment[type(config)], Experiment(model=config), argv, prog="train", description="")
    return found.model


CHOSEN = [
    (FLOW, "--model.sampler heun --model.sampler.grid even", {"sampler": Heun(grid=Even())}),
    (FLOW, "--model.sampler.grid leading --model.sampler heun", {"sampler": Heun(grid=Leading())}),
    (FLOW, "--model.sampler.steps 7 --model.sampler dpm-solver", {"sampler": DPMSolver(7)}),
    (FLOW, "--model.sampler=DPMSolver --model.sampler.order 3", {"sampler": DPMSolver(order=3)}),
    (FLOW, "--model.sampler euler --model.sampler.churn.amount 2", {"sampler": Euler(100, churn=Churn(2.0))}),
    (FLOW, "--model.guidance by-classifier --model.guidance.scale 3", {"guidance": ByClassifier(3.0)}),
    (FLOW, "--model.coupling optimal-transport", {"coupling": OptimalTransport()}),
    (FLOW, "--model.weight min-snr --model.weight unweighted", {"weight": Unweighted()}),
    (FLOW, "--model.weight unweighted --model.weight min_snr", {"weight": MinSNR()}),
    (FLOW, "--model.average no-average", {"average": NoAverage()}),
    (FLOW, "--model.denoiser.features fourier", {"denoiser": TimeMLP(features=Fourier())}),
    (edm.Config(), "--model.schedule straight --model.prediction v", {"schedule": Straight(), "prediction": V()}),
    (
        edm.Config(weight=EDMWeight(0.3)),
        "--model.prediction velocity --model.schedule cosine --model.schedule.end 0.01 --model.weight edm-weight",
        {"schedule": Cosine(0.01), "prediction": Velocity()},
    ),
    (gan.Config(prior=Normal(3)), "--model.prior uniform --model.prior.dim 7", {"prior": Uniform(7)}),
    (gan.Config(prior=Normal(7)), "--model.prior normal", {}),
    (gan.Config(), "--model.objective hinge", {"objective": Hinge()}),
    (
        gan.Config(generator_optimizer=Optimizer(0.1, Adam())),
        "--model.generator-optimizer.rule sgd --model.generator_optimizer.schedule linear-decay "
        "--model.generator-optimizer.schedule.end 9",
        {"generator_optimizer": Optimizer(0.1, SGD(), LinearDecay(9))},
    ),
]


@pytest.mark.parametrize(("config", "argv", "changes"), CHOSEN, ids=[row[1] for row in CHOSEN])
def test_a_kind_is_named_and_has_its_own_defaults(config, argv, changes):
    assert parsed(config, *argv.split()) == dataclasses.replace(config, **changes)


REFUSED = [
    (
        "--model.sampler huen",
        r"--model\.sampler is 'huen', but did you mean heun\? there are: adaptive, ancestral, ddim, dpm-solv",
    ),
    ("--model.sampler", r"--model\.sampler names no kind; there are: adaptive, ancestral"),
    ("--model.sampler --model.coupling reflow", r"--model\.sampler names no kind"),
    (
        "--model.guidance.scale 3",
        r"--model\.guidance\.scale is no setting of no-guidance; give --model\.guidance by-classifier or "
        r"--model\.guidance classifier-free beside it",
    ),
    ("--model.sampler.eta=1", r"--model\.sampler\.eta is no setting of euler; give --model\.sampler ddim beside it"),
]


@pytest.mark.parametrize(("argv", "message"), REFUSED)
def test_a_name_or_an_option_of_no_kind_is_told_with_those_that_there_are(argv, message):
    with pytest.raises(UserError, match=message):
        parsed(FLOW, *argv.split())


def test_settings_that_do_not_belong_together_and_missing_ones_end_with_code_2(capsys):
    for argv, said in (
        ("--model.prediction noise", "prediction is Noise()"),
        ("--model.optimizer.schedule linear-decay", "--model.optimizer.schedule.end"),
        ("--model.sampler.stepz 3", "--model.sampler.steps"),
    ):
        with pytest.raises(SystemExit) as exit_:
            parsed(FLOW, *argv.split())
        assert exit_.value.code == 2 and said in capsys.readouterr().err


def test_help_names_the_kinds_also_of_the_one_that_is_chosen(capsys):
    with pytest.raises(SystemExit):
        parsed(FLOW, "--model.sampler", "heun", "--help")
    said = " ".join(capsys.readouterr().out.replace("│", " ").split())
    kinds = "adaptive, ancestral, ddim, dpm-solver, euler, heun, predictor-corrector, renoise"
    assert f"--model.sampler {{{kinds}}} (default: heun)" in said
    assert "--model.sampler.grid {even, karras, leading, linspace, listed," in said
    assert "--model.coupling {independent, optimal-transport, reflow} (default: independent)" in said


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (Karras, "karras"),
        (MinSNR, "min-snr"),
        (EDMWeight, "edm-weight"),
        (SGD, "sgd"),
        (DPMSolver, "dpm-solver"),
        (ClassifierFree, "classifier-free"),
        (V, "v"),
    ],
)
def test_names_are_the_words_of_the_class(kind, name):
    assert choices.name_of(kind) == name


def test_settings_without_unions_are_left_as_they_are():
    @dataclasses.dataclass(frozen=True)
    class Plain:
        steps: int | None = 3

    assert choices.chosen(Plain(), ["--steps", "4"]) == (Plain(), ["--steps", "4"])
    assert choices.help_lines(Plain()) == []
