"""Runs whose settings change within them, and parts of a model that are read, kept and never moved."""

import dataclasses
import json
import shutil

import chex
import jax
import numpy as np
import pytest

from experiments import sample
from experiments.command_line.errors import UserError
from experiments.pictures import figures, kinds
from experiments.runs import experiment as experiments_by_name
from experiments.runs import frozen, restore, run_folder, settings, variables
from experiments.runs.experiment import Experiment
from experiments.runs.history import Segment
from experiments.training import runner, stages
from jaxgen import parallel
from jaxgen.gans import progan
from jaxgen.gans.growing import Growth
from jaxgen.nets.mlp import MLP
from jaxgen.nets.progan import ProGANDiscriminator, ProGANGenerator
from jaxgen.priors import Normal
from jaxgen.stages import Stage
from jaxgen.train_state import blank
from tests import contract
from tests.experiments.training import growing

MODEL = growing.Config()
RUN = {
    "data": "digits",
    "batch_size": 8,
    "num_samples": 4,
    "steps_per_call": 3,
    "checkpoint_every": 2,
    "log_every": 2,
    "pictures": (),
}


class TestContract(contract.Suite):
    case = contract.Case(growing, MODEL, inert=("grow_at", "fade"))


class TestGrownContract(contract.Suite):
    case = contract.Case(growing, dataclasses.replace(MODEL, grown=True))


@pytest.fixture(autouse=True)
def known(monkeypatch):
    """The test's model is one that a run may be of."""
    monkeypatch.setattr(settings, "PACKAGES", (*settings.PACKAGES, "tests"))
    monkeypatch.setattr(experiments_by_name, "load", lambda _: Experiment(model=MODEL))


def trained(folder, steps, **options):
    assert runner.train("growing", Experiment(model=MODEL, steps=steps, **(RUN | options)), folder) == 0
    return jax.device_get(restore.newest(folder)[3])


def features_file(path, net=MODEL.features, seed=7):
    variables.save(path, jax.device_get(net.init(jax.random.key(seed), blank(MODEL.image_shape), (2,))))
    return path


@pytest.mark.exhaustive
def test_a_run_killed_in_the_middle_of_a_fade_goes_on_bit_for_bit(tmp_path):
    """Over a change of settings and of the batch's size, and in calls that the change cuts."""
    undisturbed = trained(tmp_path / "one", 9)
    trained(tmp_path / "two", 2)
    trained(tmp_path / "two", 5)
    chex.assert_trees_all_equal(trained(tmp_path / "two", 9), undisturbed)
    lines = [json.loads(line) for line in (tmp_path / "one" / "metrics.jsonl").read_text().splitlines()]
    assert all(np.isfinite(line["loss"]) for line in lines)


@pytest.mark.exhaustive
def test_a_progan_killed_in_the_middle_of_a_fade_goes_on_bit_for_bit(tmp_path, monkeypatch):
    """4x4 for two updates, a fade of four in which it is killed, 8x8: pictures of each stage, at full size."""
    nets = {"base": 8, "maximum": 3}
    model = progan.Config(
        image_shape=(8, 8, 1),
        prior=Normal(3),
        generator=ProGANGenerator(**nets),
        discriminator=ProGANDiscriminator(**nets),
        growth=Growth(first=4, stabilise=16, fade=32, batch_sizes=(8,)),
    )
    monkeypatch.setattr(experiments_by_name, "load", lambda _: Experiment(model=model))

    def run(folder, steps):
        options = RUN | {"pictures": ("samples",), "sample_every": 2}
        assert runner.train("growing", Experiment(model=model, steps=steps, **options), folder) == 0
        return jax.device_get(restore.newest(folder)[3])

    undisturbed = run(tmp_path / "one", 8)
    run(tmp_path / "two", 3)
    run(tmp_path / "two", 5)
    chex.assert_trees_all_equal(run(tmp_path / "two", 8), undisturbed)
    assert len(list((tmp_path / "one" / "samples").glob("*.png"))) == 5


def test_each_stage_is_compiled_once_and_no_call_holds_two(tmp_path, monkeypatch):
    compiled = []

    def jit(update, config, *, steps, **options):
        compiled.append((config.grown, steps))
        return former(update, config, steps=steps, **options)

    former = parallel.jit
    monkeypatch.setattr(parallel, "jit", jit)
    trained(tmp_path / "run", 9)
    assert compiled == [(False, 3), (True, 3)]


def test_batches_follow_each_other_without_a_gap_where_their_size_changes():
    experiment = Experiment(model=MODEL, batch_size=8)
    first, second = (stages.at([Segment(0, experiment)], step) for step in (0, 100))
    assert first.begin == (0, 0, 8) and second.begin == (3, 24, 4)
    assert first.left(1) == 2 and second.left(100) is None
    assert second.experiment.model.grown and not first.experiment.model.grown


def test_a_batch_that_the_devices_do_not_divide_is_refused_before_anything_is_compiled(tmp_path, monkeypatch):
    monkeypatch.setattr(growing.Config, "stage", lambda self, step: Stage(self, batch_size=5))
    with pytest.raises(UserError, match="5 does not divide over 4 devices"):
        runner.train("growing", Experiment(model=MODEL, steps=2, **RUN), tmp_path / "run")


def test_a_pretrained_part_is_read_kept_once_and_never_moved(tmp_path, capsys):
    file = features_file(tmp_path / "features.npz")
    state = trained(tmp_path / "run", 4, pretrained=(f"features={file}",))
    chex.assert_trees_all_equal(variables.flat(state.features.variables), variables.load(file))
    file.unlink()  # the run has its own
    again = trained(tmp_path / "run", 6, pretrained=(f"features={file}",))
    chex.assert_trees_all_equal(again.features, state.features)
    assert contract.differs(again.autoencoder.params, state.autoencoder.params)
    held = list((tmp_path / "run").rglob("*features*"))
    assert held == [tmp_path / "run" / "frozen" / "features.npz"]
    assert sample.main([str(tmp_path / "run"), "--num", "4", "--out", str(tmp_path / "samples.png")]) in (0, None)
    assert "is random" not in capsys.readouterr().out


def test_checkpoints_hold_no_frozen_array():
    state = jax.eval_shape(lambda: growing.init(MODEL, jax.random.key(0)))
    saved, full = (len(jax.tree.leaves(each)) for each in (frozen.without(state), state))
    assert full - saved == len(jax.tree.leaves(state.features))
    restored = frozen.with_variables(frozen.without(state), {"features": state.features.variables})
    assert jax.tree.structure(restored) == jax.tree.structure(state)


def test_a_part_comes_from_a_network_of_another_run(tmp_path):
    source = dataclasses.replace(MODEL, encoder=MODEL.features, latent_dim=2)
    run = Experiment(model=source, steps=2, **RUN)
    assert runner.train("growing", run, tmp_path / "one") == 0
    former = jax.device_get(restore.newest(tmp_path / "one")[3]).autoencoder
    state = trained(tmp_path / "two", 2, pretrained=(f"features={tmp_path / 'one'}:autoencoder/encoder",))
    chex.assert_trees_all_equal(state.features.variables["params"], former.params["encoder"])
    with pytest.raises(UserError, match="has no player 'critic'; there are: autoencoder, autoencoder/decoder, autoenc"):
        trained(tmp_path / "three", 2, pretrained=(f"features={tmp_path / 'one'}:critic",))
    with pytest.raises(UserError, match="has no array 'params/Dense_0/bias', which the frozen part 'features' needs"):
        trained(tmp_path / "three", 2, pretrained=(f"features={tmp_path / 'one'}:autoencoder",))
    assert not (tmp_path / "three").exists()  # a bad source is found before the folder is made


def test_another_source_may_be_given_until_there_is_a_checkpoint(tmp_path):
    file = features_file(tmp_path / "features.npz")
    experiment = Experiment(model=MODEL, steps=4, **RUN)
    with run_folder.locked(tmp_path / "run"):
        run_folder.begin(tmp_path / "run", "growing", experiment)  # and is killed before its first checkpoint
    state = trained(tmp_path / "run", 2, pretrained=(f"features={file}",))
    chex.assert_trees_all_equal(variables.flat(state.features.variables), variables.load(file))
    with pytest.raises(UserError, match="holds a run with other settings"):
        trained(tmp_path / "run", 4)


def test_pictures_at_a_change_are_those_of_the_stage_that_begins(tmp_path, monkeypatch):
    """As a sample of the same state, drawn later, is."""
    drawn = []
    monkeypatch.setattr(kinds, "drawings", lambda own, *_: {"samples": lambda state: drawn.append(own.model.grown)})
    monkeypatch.setattr(figures, "save_png", lambda *_: None)
    trained(tmp_path / "run", 6, pictures=("samples",), sample_every=3)
    assert drawn == [False, True, True]  # at 0, at 3, where the images grow, and at 6


BAD = [
    ("other=x.npz", "the model has no frozen part 'other'; there are: features"),
    ("features", "--pretrained features names no source; write features=FILE.npz, features=FILE.safetensors or fea"),
    ("features=missing.npz", "features=missing.npz: missing.npz is no file; features is read from FILE.npz or RUN:"),
    ("features=gone:critic", "gone:critic is no file, and gone no folder of a run; features is read from FILE.npz or"),
]


@pytest.mark.parametrize(("option", "sentence"), BAD)
def test_a_bad_source_is_one_sentence(tmp_path, option, sentence):
    with pytest.raises(UserError, match=sentence):
        trained(tmp_path / "run", 2, pretrained=(option,))


def test_a_file_of_other_shapes_or_one_that_has_changed_is_refused(tmp_path):
    wide = features_file(tmp_path / "wide.npz", MLP((5,)))
    with pytest.raises(UserError, match=r"has 'params/Dense_0/bias' of shape \(5,\), but .* needs \(4,\)"):
        trained(tmp_path / "one", 2, pretrained=(f"features={wide}",))
    trained(tmp_path / "two", 2)
    shutil.copy(features_file(tmp_path / "other.npz"), tmp_path / "two" / "frozen" / "features.npz")
    with pytest.raises(UserError, match="is not the file that the run began with; put it back, or --no-resume"):
        trained(tmp_path / "two", 4)
