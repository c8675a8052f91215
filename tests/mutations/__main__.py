"""Choose mutants, run the tests of each and print the table."""

import argparse
import collections
import dataclasses
import gc
import importlib
import os
import pathlib
import random
import re
import sys
import time
from collections.abc import Collection, Iterator, Sequence
from math import inf

from tests.environment import compiler_flags
from tests.mutations.equivalent import reason_of
from tests.mutations.library import Suite, all_mutants, library, suites
from tests.mutations.mutants import Mutant
from tests.mutations.processes import Job, Pool, Result, share_caches
from tests.mutations.sampling import stratified

# As in tests/conftest.py, which comes too late here: JAX is loaded before the processes fork.
ENVIRONMENT = {
    "JAX_PLATFORMS": "cpu",
    "JAX_NUM_CPU_DEVICES": "4",
    "NPROC": "16",
    "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
    "XLA_FLAGS": compiler_flags(),
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
}
LOADED = """chex equinox flax.linen flax.nnx hypothesis jax jax.test_util jaxtyping optax ot pytest scipy.integrate
    scipy.optimize scipy.signal scipy.special scipy.stats skimage.metrics skimage.transform sklearn.metrics.pairwise
    orbax.checkpoint"""
SECONDS = 120  # for one mutant beyond five times what its tests take unchanged: a longer run is a hang
SLOW = 300  # for one mutant where nobody knows what its tests take
SAMPLE, MINUTES = 300, 30.0


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutations")
    parser.add_argument("--sample", type=int, metavar="N", help=f"how many mutations to draw; {SAMPLE} if of all files")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), metavar="S", help="of the draw")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="mutations of formulas with this in their name")
    parser.add_argument("--exhaustive", nargs="+", metavar="FILE", type=pathlib.Path, help="all mutations of files")
    parser.add_argument(
        "--again", metavar="OUTPUT", type=pathlib.Path, help="what an earlier run left alive or untried"
    )
    parser.add_argument("--list", action="store_true", help="print the mutations, run nothing")
    parser.add_argument("--minutes", type=float, help=f"after which to end; {MINUTES:.0f} for a sample")
    parser.add_argument("--workers", type=int, default=min(os.cpu_count() or 1, 8))
    options = parser.parse_args(arguments)
    if options.sample is None and not (options.only or options.exhaustive or options.again or options.list):
        options.sample = SAMPLE
    return options


def chosen(options: argparse.Namespace) -> list[Mutant]:
    """All of some files or formulas, or a draw from those of them that have no excuse."""
    files = options.exhaustive and [path.resolve() for path in options.exhaustive]
    unknown = sorted(str(file) for file in set(files or ()) - set(library().values()))
    if unknown:
        raise SystemExit(f"{', '.join(unknown)}: no file of the library that is mutated")
    mutants = all_mutants(files)
    if options.again:
        left = left_of(options.again)
        mutants = [mutant for mutant in mutants if (mutant.formula, mutant.change) in left]
    if options.only:
        mutants = [mutant for mutant in mutants if any(name in mutant.formula for name in options.only)]
    if not mutants:
        sought = f"{' or '.join(options.only)} in its name" if options.only else f"a mutation left in {options.again}"
        raise SystemExit(f"no formula has {sought}")
    if options.sample is None:
        return mutants
    return stratified([mutant for mutant in mutants if not excuse(mutant)], options.sample, options.seed)


def left_of(output: pathlib.Path) -> set[tuple[str, str]]:
    """Formulas and changes of an earlier run's output that survived or were not reached."""
    found = re.findall(
        r"^(\S+) \| (.+) \|  \| \d+ s \| (?:SURVIVED|not reached)$", output.read_text("utf-8"), re.MULTILINE
    )
    return set(found)


def excuse(mutant: Mutant) -> str | None:
    return reason_of(mutant.formula, mutant.change)


def unchanged(pool: Pool, mutants: Sequence[Mutant], deadline: float) -> tuple[dict[str, float], list[str]]:
    """Seconds of each test of these mutants that passes where nothing is mutated, and those that fail even so."""
    files = {file for mutant in mutants for suite in suites(mutant) for file in suite.files}
    seconds, failures = run_unchanged(pool, files, deadline)
    return {name: taken for name, taken in seconds.items() if name not in failures}, failures


def run_unchanged(pool: Pool, tests: Collection[str], deadline: float) -> tuple[dict[str, float], list[str]]:
    """Seconds of tests, or of those of files, where nothing is mutated, and those that fail."""
    files = collections.defaultdict(list)
    for name in sorted(tests):
        files[name.partition("::")[0]].append(name)
    largest = sorted(files, key=lambda file: -pathlib.Path(file).stat().st_size)
    num = 3 * pool.workers  # processes: what files have in common is compiled once in each
    seconds, failures = {}, []
    groups = [tuple(name for file in largest[start::num] for name in files[file]) for start in range(num)]
    for _, result in pool.run([Job([Suite(group)]) for group in groups if group], deadline):
        seconds |= result.tests
        failures += result.failures
    return seconds, failures


def job_of(mutant: Mutant, seconds: dict[str, float]) -> Job:
    """The suites without the files of which no test passes where nothing is mutated."""
    passing = {name.partition("::")[0] for name in seconds}
    kept = [
        dataclasses.replace(suite, files=tuple(file for file in suite.files if file in passing))
        for suite in suites(mutant)
    ]
    wanted = [suite for suite in kept if suite.files]
    files = {file for suite in wanted for file in suite.files}
    expected = {name: taken for name, taken in seconds.items() if name.partition("::")[0] in files}
    return Job(wanted, mutant, expected, limit=SECONDS + 5 * sum(expected.values()))


def try_timed(
    pool: Pool, mutants: Sequence[Mutant], broken: set[str], deadline: float
) -> Iterator[tuple[Mutant, Result]]:
    """All tests first without any mutation: it pays where many mutants meet the same tests."""
    started = time.monotonic()
    seconds, failures = unchanged(pool, mutants, deadline)
    broken.update(failures)
    share_caches(pool.workers)
    print(f"unchanged, their tests take {time.monotonic() - started:.0f} s on {pool.workers} workers")
    for job, result in pool.run([job_of(mutant, seconds) for mutant in mutants], deadline):
        yield job.mutant, result


def try_drawn(
    pool: Pool, mutants: Sequence[Mutant], broken: set[str], deadline: float
) -> Iterator[tuple[Mutant, Result]]:
    """Each mutant at once, then without any mutation those tests alone that went red.

    A mutant whose test is red even then comes again, tried without that test.
    """
    waiting = list(mutants)
    while waiting:
        jobs = [Job(suites(mutant), mutant, without=frozenset(broken), limit=SLOW) for mutant in waiting]
        red = collections.defaultdict(list)
        for job, result in pool.run(jobs, deadline):
            yield job.mutant, result
            if result.failures and "::" in result.failures[0]:
                red[result.failures[0]].append(job.mutant)
        passed, failures = run_unchanged(pool, red, deadline)
        unknown = red.keys() - passed.keys()
        if unknown:
            print(f"not tried without any mutation, for lack of time: {', '.join(sorted(unknown))}")
        broken.update(failures)
        waiting = [mutant for name in failures for mutant in red[name]]


def show(mutant: Mutant, why: str, verdict: str, seconds: float = 0.0) -> None:
    print(f"{mutant.formula} | {mutant.change} | {why} | {seconds:.0f} s | {verdict}", flush=True)


def verdict_of(result: Result) -> tuple[str, str]:
    if not result.failures:
        return "", "SURVIVED"
    return result.failures[0].partition("::")[2] or result.failures[0], "killed"


def main() -> int:
    options, started = parse(), time.monotonic()
    mutants = chosen(options)
    if options.list:
        for mutant in mutants:
            print(f"{mutant.formula} | {mutant.change}")
        return 0
    sampled = bool(options.sample or options.again)
    minutes = options.minutes or (MINUTES if sampled else inf)
    seed = f", seed {options.seed}" if options.sample else ""
    print(f"{len(mutants)} mutations{seed}", flush=True)
    os.environ.update(ENVIRONMENT)
    for name in LOADED.split():
        importlib.import_module(name)
    gc.freeze()  # the processes share what is loaded: no collection writes to it
    pool = Pool(options.workers)
    tried = [mutant for mutant in mutants if not excuse(mutant)]
    share_caches(options.workers)
    print("formula | mutation | failing test, or reason | time | verdict", flush=True)
    verdicts, broken = dict.fromkeys(tried, "not reached"), set()
    for mutant in mutants:
        if mutant not in verdicts:
            show(mutant, excuse(mutant) or "", "equivalent")
    results = (try_drawn if sampled else try_timed)(pool, tried, broken, started + 60 * minutes)
    for mutant, result in results:
        why, verdicts[mutant] = verdict_of(result)
        show(mutant, why, verdicts[mutant], result.seconds)
    left = [mutant for mutant in tried if verdicts[mutant] == "not reached"]
    for mutant in left:
        show(mutant, "", "not reached")
    if broken:
        print("left out, as they fail without any mutation: " + ", ".join(sorted(broken)))
    tally = collections.Counter([*verdicts.values(), *["equivalent"] * (len(mutants) - len(tried))])
    counts = ", ".join(f"{number} {name}" for name, number in sorted(tally.items()))
    print(f"{len(mutants)} mutations{seed}: {counts}; {time.monotonic() - started:.0f} s")
    return 1 if "SURVIVED" in tally else 2 if broken else 3 if left else 0


if __name__ == "__main__":
    sys.exit(main())
