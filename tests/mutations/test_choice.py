"""Which mutations are drawn, which tests they meet, and in which order."""

import collections
import pathlib
from math import inf

import pytest

from tests.mutations import library
from tests.mutations.__main__ import chosen, job_of, parse, try_drawn
from tests.mutations.mutants import Mutant
from tests.mutations.order import Order, names_of, uses
from tests.mutations.processes import Finder, Result
from tests.mutations.sampling import stratified

MUTANTS = [Mutant(f"room.{file}", "f", str(n), "") for file, num in (("a", 1), ("b", 9), ("c", 90)) for n in range(num)]


@pytest.mark.parametrize("seed", range(5))
def test_a_sample_holds_each_file_and_is_repeated_by_its_seed(seed):
    drawn = stratified(MUTANTS, 20, seed)
    assert len(set(drawn)) == 20 and {mutant.module for mutant in drawn} == {"room.a", "room.b", "room.c"}
    assert drawn == stratified(MUTANTS[::-1], 20, seed)
    assert drawn != stratified(MUTANTS, 20, seed + 1)


def test_small_samples_take_different_files_and_large_ones_everything():
    assert len({mutant.module for mutant in stratified(MUTANTS, 2, 0)}) == 2
    assert set(stratified(MUTANTS, 1000, 0)) == set(MUTANTS)


def test_what_is_no_first_of_its_file_is_drawn_with_equal_chances():
    """Beside the firsts of three files 97 mutants are left, 8 of them of b; 9 are drawn each time."""
    counts = collections.Counter(m.module for seed in range(400) for m in stratified(MUTANTS, 12, seed))
    share = (counts["room.b"] - 400) / (9 * 400)
    assert share == pytest.approx(8 / 97, abs=0.02)  # four standard errors


def test_a_sample_says_the_seed_that_repeats_it():
    assert parse(["--seed", "7"]).seed == 7
    assert parse([]).sample == 300 and parse(["--only", "nets"]).sample is None
    assert len({parse([]).seed for _ in range(5)}) > 1


def test_choices_are_of_files_formulas_or_of_all():
    file = library.library()["checks"]
    assert {mutant.module for mutant in chosen(parse(["--exhaustive", str(file)]))} == {"checks"}
    named = chosen(parse(["--exhaustive", str(file), "--only", "AtLeast"]))
    assert named and {mutant.function for mutant in named} == {"AtLeast.require"}
    assert len(chosen(parse(["--exhaustive", str(file), "--sample", "1"]))) == 1


def test_what_an_earlier_run_left_is_tried_again(tmp_path):
    file = ["--exhaustive", str(library.library()["checks"])]
    first, second, third, *_ = chosen(parse(file))
    lines = [
        "300 mutations, seed 1",
        f"{first.formula} | {first.change} |  | 25 s | SURVIVED",
        f"{second.formula} | {second.change} | test_a | 3 s | killed",
        f"{third.formula} | {third.change} |  | 0 s | not reached",
    ]
    output = tmp_path / "output.txt"
    output.write_text("\n".join(lines))
    options = parse([*file, "--again", str(output)])
    assert options.sample is None and set(chosen(options)) == {first, third}
    output.write_text(lines[2])
    with pytest.raises(SystemExit, match=r"no formula has a mutation left in .*output\.txt"):
        chosen(options)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--exhaustive", "jaxgen/no.py"], r"no.py: no file of the library"),
        (["--exhaustive", str(library.library()["checks"]), "--only", "nobody"], "no formula has nobody in its name"),
    ],
)
def test_choices_of_nothing_are_refused(arguments, message):
    with pytest.raises(SystemExit, match=message):
        chosen(parse(arguments))


def names(mutant: Mutant) -> list[list[str]]:
    return [[pathlib.Path(file).name for file in suite.files] for suite in library.suites(mutant)]


def test_the_tests_of_a_file_come_first_then_laws_of_its_room_then_two_users():
    mutant = Mutant("losses.likelihoods", "gaussian_nll", "double the value", "")
    own, laws, users = names(mutant)
    assert own == ["test_likelihoods.py"] and "test_common.py" in laws and len(users) <= 2
    assert [suite.only for suite in library.suites(mutant)] == [None, "gaussian_nll", None]
    laws, own, *_ = names(Mutant("losses.likelihoods", "gaussian_nll", "drop the check of same_shape", ""))
    assert own == ["test_likelihoods.py"] and "test_common.py" in laws


def test_laws_of_two_rooms_are_laws_of_both():
    """`tests/losses/test_bad_inputs.py` takes the table of `tests.metrics`."""
    assert "test_bad_inputs.py" in names(Mutant("metrics.kernel", "kernel_distance", "double the value", ""))[1]


def test_the_tests_of_a_file_may_be_split_over_several_files():
    assert names(Mutant("train_state", "only", "", ""))[0] == ["test_train_state.py", "test_train_state_parts.py"]
    assert names(Mutant("nets.conv", "Conv", "", ""))[0] == ["test_conv.py"]  # test_conv_autoencoder.py has its own


def test_users_are_found_through_the_names_that_a_package_hands_on():
    """`from jaxgen.parallel import split` is a use of `parallel.inside`."""
    assert "parallel.inside" in library._imports()["train_state"]
    assert "parallel.layout" not in library._imports()["train_state"]
    assert len(names(Mutant("parallel.inside", "split", "", ""))[-1]) == 2


def test_files_of_which_nothing_passes_unchanged_are_left_out():
    mutant = Mutant("parallel.inside", "split", "double the value", "")
    own, users = library.suites(mutant)[0].files[0], library.suites(mutant)[-1].files
    job = job_of(mutant, {f"{own}::test_split": 2.0, f"{users[0]}::test_b": 1.0, "tests/test_c.py::test_c": 9.0})
    assert (
        job.suites == [library.Suite((own,)), library.Suite(users[:1])]
        and sum(job.expected.values()) == 3.0
        and job.limit > 100
    )
    assert job_of(mutant, {f"{users[1]}::test_b": 1.0}).suites == [library.Suite(users[1:])]


class Item:
    """What pytest knows of a test."""

    def __init__(self, nodeid: str, function, cls=None):
        self.nodeid, self.function, self.cls = nodeid, function, cls


def naming():
    return "".normalize(1, axis_name="i")


def other():
    return 1


def test_tests_that_name_it_come_first_then_quick_ones_and_classes_stay_together():
    items = [
        Item("t.py::TestA::slow", other, object),
        Item("t.py::quick", other),
        Item("t.py::TestA::fast", other, object),
        Item("t.py::naming[1]", naming),
        Item("t.py::red_without_any_mutation", naming),
    ]
    seconds = {"t.py::TestA::slow": 5.0, "t.py::TestA::fast": 0.1, "t.py::quick": 1.0, "t.py::naming[1]": 9.0}
    Order({"normalize"}, seconds).pytest_collection_modifyitems(items)
    assert [item.nodeid.rpartition("::")[2] for item in items] == ["naming[1]", "quick", "fast", "slow"]


def test_without_times_all_are_run_but_those_that_are_known_to_fail_and_classes_come_late():
    items = [Item("t.py::TestA::law", naming, object), Item("t.py::red", naming), Item("t.py::b", naming)]
    items += [Item("t.py::TestA::other", other, object), Item("t.py::c", other)]
    Order({"normalize"}, without={"t.py::red"}).pytest_collection_modifyitems(items)
    assert [item.nodeid.rpartition("::")[2] for item in items] == ["b", "law", "other", "c"]


class Scripted:
    """A pool whose tests are red as a table says: mutants by name, and what fails without any."""

    workers = 2

    def __init__(self, red, broken):
        self.red, self.broken, self.asked = red, broken, []

    def run(self, jobs, deadline):
        for job in jobs:
            if job.mutant is None:
                names = {name for suite in job.suites for name in suite.files}
                self.asked.append(names)
                yield job, Result(sorted(names & self.broken), dict.fromkeys(names, 1.0), 1.0)
            else:
                kept = [name for name in self.red[job.mutant.function] if name not in job.without]
                yield job, Result(kept[:1], {}, 1.0)


def test_a_drawn_mutant_whose_test_is_red_without_it_is_tried_again_without_that_test():
    """Of `lucky` only a broken test was red: it survives. Tests that went red are run once more, no others."""
    sound, broken = "tests/test_model.py::sound", "tests/test_images.py::broken"
    red = {"caught": [sound], "twice": [broken, sound], "lucky": [broken], "unseen": [], "hung": ["(hangs)"]}
    mutants = [Mutant("images", name, "change", "") for name in red]
    pool, left_out = Scripted(red, {broken}), set()
    last = {mutant.function: result.failures for mutant, result in try_drawn(pool, mutants, left_out, inf)}
    assert last == {"caught": [sound], "twice": [sound], "lucky": [], "unseen": [], "hung": ["(hangs)"]}
    assert left_out == {broken} and sorted(map(sorted, pool.asked)) == [[broken], [sound], [sound]]


def test_of_laws_of_many_formulas_those_are_run_that_bear_or_use_a_name():
    items = [
        Item(f"t.py::{name}", function) for name, function in (("a[normalize]", other), ("b", naming), ("c", other))
    ]
    order = Order({"normalize"}, {item.nodeid: 1.0 for item in items})
    order.only = "normalize"
    order.pytest_collection_modifyitems(items)
    assert {item.nodeid for item in items} == {"t.py::a[normalize]", "t.py::b"}


def test_of_laws_of_many_models_the_rows_of_a_module_are_run():
    items = [
        Item(f"gan/t.py::{name}", other) for name in ("gan", "gan[wgan]", "gan[1-gan]", "gan[gan-1]", "gan[wgan-gan]")
    ]
    order = Order({"update"}, {item.nodeid: 1.0 for item in items})
    order.only, order.row = "update", "gan"
    order.pytest_collection_modifyitems(items)
    assert {item.nodeid for item in items} == {f"gan/t.py::gan[{name}]" for name in ("1-gan", "gan-1", "wgan-gan")}
    mutant = Mutant("gans.wgan", "update", "double the value", "")
    assert [suite.row for suite in library.suites(mutant)][:2] == [None, "wgan"]


def test_what_is_lost_along_devices_meets_the_tests_on_devices():
    assert uses(naming.__code__, "axis_name") and uses(naming.__code__, "normalize")
    assert not uses(other.__code__, "normalize")
    assert "pmap" in names_of("update", "None for axis_name in descend(critic, loss, axis_name)")
    assert names_of("Net.__call__", "double the value") == {"Net"}
    assert names_of("Net.drops", "double the value") == {"Net", "drops"}
    assert names_of("update", "double the value") == {"update"}


def test_the_mutated_text_takes_the_place_of_the_file(tmp_path):
    """Found by name alone, with the file's own path, and only for this module."""
    finder = Finder(Mutant("checks", "require", "", "WORDS = 'mutated'\n"))
    spec = finder.find_spec("jaxgen.checks")
    assert spec and spec.origin == str(library.library()["checks"]) and finder.find_spec("jaxgen.images") is None
    scope = {}
    exec(spec.loader.get_code("jaxgen.checks"), scope)
    assert scope["WORDS"] == "mutated"
