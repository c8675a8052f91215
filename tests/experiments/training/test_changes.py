"""Going on with other settings: what may change, from which step on, and that a run is a function of its history."""

import dataclasses
import json
import shutil

import chex
import jax
import numpy as np
import pytest

from experiments import report, sample
from experiments.command_line import cli
from experiments.command_line.errors import UserError
from experiments.data.order import Position
from experiments.runs import carrying, history, restore, run_folder
from experiments.runs.experiment import Experiment
from experiments.runs.history import Segment
from experiments.training import runner, stages
from jaxgen.autoencoders import aae
from jaxgen.moving_averages import Exponential
from jaxgen.nets.instance_noise import InstanceNoise
from jaxgen.optimizers import SGD, Adagrad, Adam, Cosine, LinearDecay, Optimizer, RAdam, RampedAdam, RMSProp
from tests.experiments import small_runs

GAN = small_runs.GAN
QUICK = {
    "data": "digits",
    "batch_size": 8,
    "steps_per_call": 1,
    "num_samples": 4,
    "pictures": (),
    "log_every": 1,
    "checkpoint_every": 2,
    "keep": 9,
}


def with_rate(rate, model=GAN, **others):
    optimizers = ("generator_optimizer", "critic_optimizer")
    return dataclasses.replace(
        model,
        **{name: dataclasses.replace(getattr(model, name), learning_rate=rate, **others) for name in optimizers},
    )


def go(folder, steps, model=GAN, **settings):
    return runner.train("wgan_gp_digits", Experiment(model=model, steps=steps, **(QUICK | settings)), folder)


def state_of(folder, which="newest"):
    return jax.device_get(restore.at(folder, which)[3])


def losses(folder):
    lines = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    return {line["step"]: line["critic_loss"] for line in lines}


def sessions(folder):
    return json.loads((folder / "config.json").read_text())["sessions"]


def damage(folder, *steps):
    for step in steps:
        shutil.rmtree(folder / "checkpoints" / str(step) / "state")


SLOW = {
    "model": with_rate(1e-5, warm_up=3, clip_norm=1.0, schedule=LinearDecay(50)),
    "batch_size": 12,
}


@pytest.fixture(scope="module")
def changed(tmp_path_factory):
    """Four steps, then four with other rates, a schedule, clipping and batches."""
    folder = tmp_path_factory.mktemp("changed") / "run"
    assert go(folder, 4) == 0
    assert go(folder, 8, **SLOW, change=True) == 0
    return folder


@pytest.mark.exhaustive
def test_a_run_goes_on_with_other_rates_schedule_and_batches_and_says_so(changed, capsys):
    told = sessions(changed)[1]["changed"]["settings"]
    assert "batch_size: 8 -> 12" in told
    assert "model.critic_optimizer.learning_rate: 0.0001 -> 1e-05" in told
    assert "model.critic_optimizer.clip_norm: None -> 1.0" in told
    assert sorted(losses(changed)) == list(range(1, 9))
    _, experiment = run_folder.read(changed)
    assert experiment.batch_size == 12 and experiment.model == SLOW["model"]
    assert sample.main([str(changed), "--num", "2", "--step", "4", "--out", str(changed / "early.png")]) == 0
    out = changed.parent / "report.html"
    assert report.main([str(changed), "--out", str(out)]) == 0
    text = out.read_text()
    assert "from step 4 on" in text and "batch_size: 8 -&gt; 12" in text


def test_the_history_says_what_held_at_each_step(changed):
    found = restore.segments(changed)
    assert [(one.start, one.experiment.batch_size, one.experiment.model) for one in found] == [
        (0, 8, GAN),
        (4, 12, SLOW["model"]),
    ]
    assert restore.at(changed, 4)[0].batch_size == 8 and restore.at(changed, 6)[0].batch_size == 12
    assert int(state_of(changed).critic.opt_state[-2].count) == 8  # of a schedule that began at step 4


def test_after_a_change_the_same_command_goes_on_with_or_without_the_option(changed, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(changed, folder)
    assert go(folder, 9, **SLOW) == 0
    assert go(folder, 10, **SLOW, change=True) == 0
    assert ["changed" in one for one in sessions(folder)] == [False, True, False, False]


@pytest.mark.exhaustive
@pytest.mark.parametrize("damaged", [(8,), (8, 6), (8, 6, 4), (8, 6, 4, 2)])
def test_a_run_whose_newest_checkpoints_are_damaged_becomes_the_same_run(changed, tmp_path, damaged):
    """Back before the change, the updates up to it have the settings of before."""
    folder = tmp_path / "run"
    shutil.copytree(changed, folder)
    damage(folder, *damaged)
    if damaged[-1] == 2:
        with pytest.raises(UserError, match=r"no checkpoint in .* can be used"):
            go(folder, 8, **SLOW)
        return
    assert go(folder, 8, **SLOW) == 0
    chex.assert_trees_all_equal(state_of(folder), state_of(changed))
    chex.assert_trees_all_equal(state_of(folder, 6), state_of(changed, 6))
    assert losses(folder) == losses(changed)
    assert [one.start for one in restore.segments(folder)] == [0, 4]


def test_a_change_before_an_earlier_one_takes_its_place(changed, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(changed, folder)
    damage(folder, 8, 6, 4)
    assert go(folder, 6, with_rate(1e-6), change=True) == 0
    found = restore.segments(folder)
    assert [(one.start, one.experiment.model) for one in found] == [(0, GAN), (2, with_rate(1e-6))]
    assert sessions(folder)[2]["changed"]["settings"] == [
        f"model.{name}_optimizer.learning_rate: 0.0001 -> 1e-06" for name in ("critic", "generator")
    ]
    damage(folder, 6, 4)
    before = losses(folder)
    assert go(folder, 6, with_rate(1e-6)) == 0
    assert losses(folder) == before


def test_a_change_before_the_first_checkpoint_holds_from_the_beginning(tmp_path):
    experiment = Experiment(model=GAN, **QUICK)
    (tmp_path / "run").mkdir()
    run_folder.begin(tmp_path / "run", "wgan_gp_digits", experiment)
    assert go(tmp_path / "run", 2, with_rate(1e-5), change=True) == 0
    assert [(one.start, one.experiment.model) for one in restore.segments(tmp_path / "run")] == [(0, with_rate(1e-5))]


def test_batches_follow_each_other_where_their_size_changes():
    """Positions are functions of the step and the history: the stream has no gap, and no example comes twice."""
    experiment = Experiment(model=GAN, batch_size=8)
    larger = dataclasses.replace(experiment, batch_size=12)
    found = (Segment(0, experiment), Segment(3, larger), Segment(5, experiment))
    begins = [stages.at(found, step).begin for step in (0, 2, 3, 4, 5, 99)]
    assert begins == [Position(*one) for one in ((0, 0, 8),) * 2 + ((3, 24, 12),) * 2 + ((5, 48, 8),) * 2]
    assert [stages.at(found, step).left(step) for step in (0, 2, 4, 5)] == [3, 1, 1, None]


def refusal(tmp_path, now, monkeypatch, change=True):
    """What is said of going on with other settings, before anything is compiled."""
    folder = tmp_path / "run"
    folder.mkdir()
    before = Experiment(model=GAN, **QUICK)
    run_folder.begin(folder, "wgan_gp_digits", before)
    run_folder.record_checkpoint(folder)
    monkeypatch.setattr(runner.Loop, "run", lambda *_: pytest.fail("trained"))
    with pytest.raises(UserError) as error:
        runner.train("wgan_gp_digits", dataclasses.replace(now(before), change=change), folder)
    assert "\n" not in str(error.value)
    assert sessions(folder) == sessions(folder)[:1]
    return str(error.value)


def model(**settings):
    return lambda before: dataclasses.replace(before, model=dataclasses.replace(before.model, **settings))


def test_without_the_option_the_differences_are_listed_and_the_cure_named(tmp_path, monkeypatch):
    told = refusal(tmp_path, lambda before: dataclasses.replace(before, batch_size=4), monkeypatch, change=False)
    assert "other settings (batch_size: 8 -> 4); --change goes on with them; or choose another --out" in told


@pytest.mark.parametrize(
    ("now", "message"),
    [
        (model(latent_dim=5), "in which model.latent_dim: 3 -> 5 cannot change; choose another --out"),
        (model(penalty_weight=1.0), "model.penalty_weight: 10.0 -> 1.0 cannot change"),
        (lambda before: dataclasses.replace(before, seed=7), "seed: 0 -> 7 cannot change"),
        (lambda before: dataclasses.replace(before, model=small_runs.WIDE), "model.type: jaxgen.gans.wgan_gp:Config"),
        (model(generator_optimizer=Optimizer(1e-4, SGD())), "a rule that keeps nothing cannot go on from one that"),
        (model(generator_optimizer=Optimizer(1e-4, Adam(b1=0.5))), "a rule that keeps mu and nu cannot go on from one"),
        (model(critic_optimizer=Optimizer(1e-4, Adam(b1=0.0, b2=0.9), accumulate=2)), "accumulate: 1 -> 2 cannot"),
        (model(critic_steps=2), "critic_steps: 1 -> 2 cannot change"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(tmp_path, now, message, monkeypatch):
    assert message in refusal(tmp_path, now, monkeypatch)


RULES = {
    "adam": Adam(),
    "adam without b1": Adam(b1=0.0),
    "ramped adam": RampedAdam(),
    "radam": RAdam(),
    "rmsprop": RMSProp(),
    "adagrad": Adagrad(),
    "momentum": SGD(0.9),
    "sgd": SGD(),
}
OTHERS = {
    "rate": {"learning_rate": 1e-5},
    "linear": {"schedule": LinearDecay(9)},
    "cosine": {"schedule": Cosine(9)},
    "warm-up": {"warm_up": 3},
    "clipping": {"clip_norm": 0.5},
    "decay": {"weight_decay": 0.1},
    "all": {"schedule": Cosine(9), "warm_up": 3, "clip_norm": 0.5, "weight_decay": 0.1},
}


@pytest.mark.exhaustive
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("accumulate", [1, 2])
def test_moments_stay_and_counts_go_on_under_every_part_and_back(rule, accumulate, key):
    """From a plain optimiser to each part and back again is where one was, and a schedule counts from the beginning."""
    plain = Optimizer(1e-3, RULES[rule], accumulate=accumulate)

    def players(optimizer):
        return aae.init(
            aae.Config(
                image_shape=(2,),
                latent_dim=2,
                encoder=small_runs.NET,
                decoder=small_runs.DECODER,
                discriminator=small_runs.NET,
                encoder_optimizer=Optimizer(1e-3, Adam()),
                discriminator_optimizer=optimizer,
            ),
            key,
        )

    numbers = np.random.default_rng(0)
    before = jax.tree.map(lambda leaf: leaf + leaf.dtype.type(numbers.integers(3, 9)), players(plain))
    for name, changes in OTHERS.items():
        like = players(dataclasses.replace(plain, **changes))
        there = carrying.carried_over(before, like)
        assert jax.tree.structure(there) == jax.tree.structure(like), name
        chex.assert_trees_all_equal(carrying.carried_over(there, players(plain)), before)
        counts = [leaf for path, leaf in jax.tree_util.tree_leaves_with_path(there) if path[-1] in NAMES_OF_COUNTS]
        assert all(int(count) > 0 for count in counts)


NAMES_OF_COUNTS = (jax.tree_util.GetAttrKey("count"), jax.tree_util.GetAttrKey("step"))


def test_all_that_may_change_leaves_the_state_of_every_experiment_as_it_is():
    """Each type of `CHANGEABLE` is one of this project and has those settings."""
    from experiments.runs import settings

    for name, changeable in history.CHANGEABLE.items():
        kind = settings._kind(name)
        assert set(changeable) <= {field.name for field in dataclasses.fields(kind)}
    noise = InstanceNoise(small_runs.NET, std=0.1, end=5)
    average = Exponential(0.9)
    for before, now in ((noise, dataclasses.replace(noise, std=0.2, end=9)), (average, Exponential(0.5))):
        assert history.unchangeable(settings.to_json(before), settings.to_json(now)) == []
    other = dataclasses.replace(noise, discriminator=small_runs.MLP((9,)))
    assert history.unchangeable(settings.to_json(noise), settings.to_json(other))


def test_after_a_nan_the_printed_options_go_on_from_the_last_good_checkpoint_and_the_run_ends(tmp_path, capsys):
    """Of plain descent on this loss a rate of 1 diverges within ten steps, and 0.1 does not."""
    folder = tmp_path / "run"

    def chosen(rate, **settings):
        own = dataclasses.replace(small_runs.WIDE, optimizer=Optimizer(rate, SGD()))
        return Experiment(model=own, **(QUICK | {"checkpoint_every": 99} | settings))

    assert runner.train("vae_digits", chosen(0.01, steps=2), folder) == 0
    capsys.readouterr()
    wild = chosen(1.0, steps=20, change=True)
    assert runner.train("vae_digits", wild, folder) == 1
    told = capsys.readouterr().out
    assert "the run stops; its checkpoint of step 2 is kept" in told
    assert "to go on from step 2 with a tenth of the learning rates, give the same command with this at its end" in told
    (options,) = [line for line in told.splitlines() if line.startswith("  --change")]
    assert options.split() == ["--change", "--model.optimizer.learning-rate", "0.1"]
    again = cli.parse(Experiment[type(wild.model)], wild, options.split(), "train", "")
    assert runner.train("vae_digits", again, folder) == 0
    assert restore.newest(folder)[2] == 20
    rates = [(one.start, one.experiment.model.optimizer.learning_rate) for one in restore.segments(folder)]
    assert rates == [(0, 0.01), (2, 0.1)]
