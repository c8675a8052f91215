import dataclasses
import json

import pytest

from experiments.command_line.errors import FolderError, UserError
from experiments.data.options import ImageOptions
from experiments.runs import experiment, run_folder

EXPERIMENT = experiment.load("wgan_gp_digits")


def test_config_json_repeats_the_run(tmp_path):
    assert run_folder.begin(tmp_path, "wgan_gp_digits", EXPERIMENT) is False
    assert run_folder.read(tmp_path) == ("wgan_gp_digits", EXPERIMENT)
    session = json.loads((tmp_path / "config.json").read_text())["sessions"][0]
    assert session["versions"]["jax"]
    assert session["versions"]["jaxgen"]
    assert len(session["devices"]) == 4


def test_the_same_run_may_go_on_with_another_length_and_its_sessions_are_kept(tmp_path):
    run_folder.begin(tmp_path, "wgan_gp_digits", EXPERIMENT)
    longer = dataclasses.replace(EXPERIMENT, steps=99_999, parallel="pmap", log_every=7)
    assert run_folder.begin(tmp_path, "wgan_gp_digits", longer) is True
    run_folder.record_session(tmp_path, longer, 500)
    assert run_folder.read(tmp_path)[1] == longer
    sessions = json.loads((tmp_path / "config.json").read_text())["sessions"]
    assert [session["from_step"] for session in sessions] == [0, 500]


def test_another_experiment_or_other_settings_are_refused_with_the_differences(tmp_path):
    run_folder.begin(tmp_path, "wgan_gp_digits", EXPERIMENT)
    with pytest.raises(UserError, match="holds a run of wgan_gp_digits, not of vae_digits; choose another --out"):
        run_folder.begin(tmp_path, "vae_digits", EXPERIMENT)
    other = dataclasses.replace(EXPERIMENT, seed=3, model=dataclasses.replace(EXPERIMENT.model, critic_steps=2))
    with pytest.raises(UserError, match=r"other settings \(model.critic_steps: 5 -> 2; seed: 0 -> 3\)"):
        run_folder.begin(tmp_path, "wgan_gp_digits", other)
    assert run_folder.read(tmp_path)[1] == EXPERIMENT


def test_every_setting_is_either_free_or_fixed():
    fixed = {field.name for field in dataclasses.fields(EXPERIMENT)} - set(run_folder.FREE)
    assert fixed == {"model", "data", "images", "batch_size", "seed", "pretrained"}


@pytest.fixture
def record(tmp_path):
    """What config.json of a fresh run says, to be damaged and put back."""
    run_folder.begin(tmp_path, "wgan_gp_digits", EXPERIMENT)
    return json.loads((tmp_path / "config.json").read_text())


@pytest.mark.parametrize("content", ["", "not json", '{"experiment": "x"', "\x00\xff"])
def test_a_config_that_is_no_json_gets_one_sentence(tmp_path, content):
    (tmp_path / "config.json").write_bytes(content.encode("latin1"))
    with pytest.raises(UserError, match=r"config.json is not JSON"):
        run_folder.read(tmp_path)


@pytest.mark.parametrize("content", ["[]", "{}", "3", '{"experiment": "x"}'])
def test_a_config_that_train_did_not_write_gets_one_sentence(tmp_path, content):
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(UserError, match="was not written by train"):
        run_folder.read(tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sessions": 3}, "its 'sessions' is missing or of a wrong kind"),
        ({"format": 99}, "written by a newer version of jaxgen"),
        ({"settings": {"type": "jaxgen.optimizers:Adam"}}, "its settings are a Adam"),
    ],
)
def test_a_config_with_one_wrong_part_is_told_which(tmp_path, record, changes, message):
    (tmp_path / "config.json").write_text(json.dumps(record | changes))
    with pytest.raises(UserError, match=message):
        run_folder.read(tmp_path)


def test_a_setting_that_an_earlier_version_lacked_does_not_stand_in_the_way(tmp_path, record):
    del record["settings"]["model"]["one_sided"]
    (tmp_path / "config.json").write_text(json.dumps(record))
    assert run_folder.begin(tmp_path, "wgan_gp_digits", EXPERIMENT) is True


@pytest.mark.parametrize("profiles", ["srgb", "ignore"])
def test_a_run_begun_without_colour_profiles_goes_on_with_and_without_them(tmp_path, record, profiles):
    images = ImageOptions(profiles=profiles)
    asked = dataclasses.replace(EXPERIMENT, images=images)
    (tmp_path / "config.json").write_text(json.dumps(record))
    if profiles == "ignore":
        with pytest.raises(UserError, match=r"images\.profiles: srgb -> ignore"):
            run_folder.begin(tmp_path, "wgan_gp_digits", asked)
    del record["settings"]["images"]["profiles"]
    (tmp_path / "config.json").write_text(json.dumps(record))
    assert run_folder.begin(tmp_path, "wgan_gp_digits", asked) is True


def test_a_run_of_format_1_goes_on_and_is_written_in_the_format_of_today(tmp_path, record):
    """Then an optimiser held its rate, schedule and accumulation beside what is now its rule."""
    former = json.loads(json.dumps(record))
    for name in ("generator_optimizer", "critic_optimizer"):
        parts = former["settings"]["model"][name]
        around = {key: parts[key] for key in ("learning_rate", "schedule", "accumulate")}
        former["settings"]["model"][name] = parts["rule"] | around
    (tmp_path / "config.json").write_text(json.dumps(former | {"format": 1}))
    assert run_folder.read(tmp_path) == ("wgan_gp_digits", EXPERIMENT)
    assert run_folder.begin(tmp_path, "wgan_gp_digits", EXPERIMENT) is True
    slower = dataclasses.replace(EXPERIMENT.model.critic_optimizer, learning_rate=0.5)
    other = dataclasses.replace(EXPERIMENT, model=dataclasses.replace(EXPERIMENT.model, critic_optimizer=slower))
    with pytest.raises(UserError, match=r"model.critic_optimizer.learning_rate: 0.001 -> 0.5"):
        run_folder.begin(tmp_path, "wgan_gp_digits", other)
    run_folder.record_checkpoint(tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["format"] == 2
    assert run_folder.read(tmp_path) == ("wgan_gp_digits", EXPERIMENT)


def test_a_checkpoint_is_noted_and_the_run_keeps_its_name(tmp_path, record):
    assert record["has_checkpoint"] is False
    for _ in range(2):
        run_folder.record_checkpoint(tmp_path)
        after = json.loads((tmp_path / "config.json").read_text())
        assert after == record | {"has_checkpoint": True}


def test_a_folder_that_is_deleted_moved_or_made_anew_is_noticed(tmp_path):
    folder = tmp_path / "run"
    with run_folder.locked(folder) as hold:
        hold.check()
        folder.rename(tmp_path / "moved")
        with pytest.raises(FolderError, match="was deleted or moved while it was trained in"):
            hold.check()
        with run_folder.locked(folder), pytest.raises(FolderError, match="was deleted or moved"):
            hold.check()


def test_a_folder_that_is_no_run_gets_one_sentence(tmp_path):
    with pytest.raises(UserError, match="is not the folder of a run"):
        run_folder.read(tmp_path / "nowhere")


def test_a_config_with_foreign_types_gets_one_sentence(tmp_path, record):
    record["settings"] = {"type": "os:system"}
    (tmp_path / "config.json").write_text(json.dumps(record))
    with pytest.raises(UserError, match="cannot be used: settings of type 'os:system'"):
        run_folder.read(tmp_path)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(UserError, match=r"cannot write to .*; choose another --out"),
        run_folder.locked(tmp_path / "file" / "run"),
    ):
        pass


def test_a_second_process_is_kept_out(tmp_path):
    with (
        run_folder.locked(tmp_path),
        pytest.raises(UserError, match="another process trains in"),
        run_folder.locked(tmp_path),
    ):
        pass
    with run_folder.locked(tmp_path):
        pass


def test_an_earlier_run_is_moved_aside_and_never_overwritten(tmp_path):
    folder = tmp_path / "run"
    assert run_folder.move_aside(folder) is None
    for number in (1, 2):
        folder.mkdir()
        run_folder.begin(folder, "wgan_gp_digits", EXPERIMENT)
        assert run_folder.move_aside(folder) == tmp_path / f"run.{number}"
    assert run_folder.read(tmp_path / "run.1") == run_folder.read(tmp_path / "run.2")
