"""A short form of the faults that `python -m tests.faults` tries by the dozen."""

import json
import shutil

import pytest

from tests import faults
from tests.faults import Count, Undisturbed


def test_a_run_that_is_killed_and_whose_checkpoints_are_damaged_is_the_undisturbed_run(tmp_path):
    said = []
    options = faults.Options(kills=3, stops=0, disks=0, corrupt=0, steps=40, seed=1)
    counts = faults.run(options, tmp_path, said.append)
    told = faults.table(counts) + "\n" + "\n".join(said)
    assert counts["SIGKILL"].tried == counts["SIGKILL"].survived == 3, told
    assert counts["runs brought to their end"].survived >= 1, told
    assert all(count.lost == count.wrong == 0 for count in counts.values()), told

    undisturbed = Undisturbed(tmp_path / "undisturbed", faults.checksums(tmp_path / "undisturbed"))
    assert sorted(undisturbed.checksums) == list(range(5, 45, 5))
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
