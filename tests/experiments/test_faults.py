"""A short form of the faults that `python -m tests.faults` tries by the dozen."""

import json
import random
import shutil

import pytest

from experiments import train
from tests import faults
from tests.faults import Count, Undisturbed


@pytest.mark.exhaustive
def test_a_run_that_is_killed_and_whose_checkpoints_are_damaged_is_the_undisturbed_run(tmp_path):
    said = []
    options = faults.Options(kills=3, stops=0, disks=0, corrupt=0, steps=40, seed=1)
    counts = faults.run(options, tmp_path, said.append)
    told = faults.table(counts) + "\n" + "\n".join(said)
    assert counts["SIGKILL"].tried == counts["SIGKILL"].survived == 3, told
    assert counts["runs brought to their end"].survived >= 1, told
    assert all(count.lost == count.wrong == 0 for count in counts.values()), told


def live(out, steps, *options):
    """A life in this process."""
    _, _, _, *words = faults.command(out, steps, *options)
    assert train.main(words) == 0


def test_a_run_in_lives_whose_newest_checkpoints_are_damaged_is_the_undisturbed_run(tmp_path, capsys):
    """Without the kills, and each disturbance is found."""
    live(tmp_path / "undisturbed", 40, "--keep", "1000000")
    undisturbed = Undisturbed(tmp_path / "undisturbed", faults.checksums(tmp_path / "undisturbed"))
    assert sorted(undisturbed.checksums) == list(range(5, 45, 5))
    count, out = Count(), tmp_path / "run"
    for life, steps in enumerate((20, 40, 40)):
        if life:
            assert faults.damage(out, random.Random(1)) in faults.DAMAGES
            shutil.rmtree(out / "checkpoints" / str(faults.newest(out)) / "state", ignore_errors=True)
        live(out, steps)
        faults.judge(out, undisturbed, count)
    said = capsys.readouterr().out
    assert "at step 15 of 40" in said and "at step 35 of 40" in said
    faults.compare(out, undisturbed, count)
    assert (count.tried, count.survived, count.wrong) == (1, 1, 0), faults.table({"damage": count})
    disturb_and_see_it_found(undisturbed, tmp_path / "copy")


def disturb_and_see_it_found(undisturbed, copy):
    """Another checkpoint, other metrics, other pictures and another last step are each counted."""
    shutil.copytree(undisturbed.folder, copy)
    count = Count()
    faults.judge(copy, undisturbed, count)
    faults.compare(copy, undisturbed, count)
    assert (count.tried, count.survived, count.wrong) == (1, 1, 0)

    (copy / "metrics.jsonl").write_text('{"step": 1}\n')
    next((copy / "samples").glob("*.png")).write_bytes(b"")
    shutil.rmtree(copy / "checkpoints" / "40")
    meta = copy / "checkpoints" / "5" / "meta" / "metadata"
    found = json.loads(meta.read_text())
    found["crc32"]["generator/step"] += 1
    meta.write_text(json.dumps(found))
    count = Count()
    faults.judge(copy, undisturbed, count)
    faults.compare(copy, undisturbed, count)
    assert (count.tried, count.survived, count.lost, count.wrong) == (1, 0, 1, 2)
    assert count.notes == [
        "copy: the checkpoint of step 5 is another one",
        *(f"copy: other {name}" for name in ("final state", "metrics", "pictures")),
    ]


def test_a_life_that_fails_by_itself_is_lost(tmp_path):
    process = faults.start(tmp_path, 20, "--stepz", "3")
    said = faults.until_trains(process)
    assert said is not None and "Unrecognized options" in said
    with pytest.raises(faults.LostError, match="exit code 2"):
        faults.came_to_its_end(process, said)
    process.communicate()
