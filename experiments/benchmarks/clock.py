"""Times of several variants of one thing, taken in turn, so that whatever else the machine does hits all alike."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

Clock = Literal["wall", "processor"]
"""`processor`: seconds of all threads of this process, whoever else uses the machine."""

CLOCKS: dict[Clock, Callable[[], float]] = {"wall": time.perf_counter, "processor": time.process_time}


class Variant(NamedTuple):
    """Something to time: a call of `run` does `updates` of them, and returns when they are done."""

    run: Callable[[], None]
    updates: int = 1


@dataclass(frozen=True)
class Timing:
    """Of one variant, over all rounds."""

    milliseconds: float  # of one update, the median of the rounds
    ratio: float  # time of the reference divided by this one's, the median of the rounds; above 1 is faster
    lowest: float  # of the rounds' ratios
    highest: float


def seconds(action: Callable[[], None]) -> float:
    """Of one run of the action, by the clock on the wall."""
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def seconds_per_update(variant: Variant, seconds: float, clock: Callable[[], float]) -> float:
    """Mean time of an update over calls that take at least `seconds` together."""
    calls, begun = 0, clock()
    while clock() - begun < seconds:
        variant.run()
        calls += 1
    return (clock() - begun) / (calls * variant.updates)


def compare(
    variants: Mapping[str, Variant], reference: str, *, rounds: int, seconds: float, clock: Clock = "wall"
) -> dict[str, Timing]:
    """Time each variant once in each round, in turn, after a warm-up; ratios are those within a round."""
    now = CLOCKS[clock]
    for variant in variants.values():
        variant.run()
        seconds_per_update(variant, seconds / 4, now)
    times = [
        {name: seconds_per_update(variant, seconds, now) for name, variant in variants.items()} for _ in range(rounds)
    ]
    return {name: _timing(name, reference, times) for name in variants}


def by_call(ours: Callable[[int | None], Variant], scanned: int | None) -> dict[str, Variant]:
    """Our update, one a call and, unless None, so many a call, by what a table calls them."""
    found = {"jaxgen, one update a call": ours(None)}
    return found if scanned is None else found | {f"jaxgen, {scanned} updates a call": ours(scanned)}


def table(found: Mapping[str, Timing]) -> list[str]:
    """Lines of milliseconds, ratios and their ranges."""
    lines = [f"{'':<30}{'ms':>9}{'ratio':>8}{'range':>16}"]
    for name, timing in found.items():
        span = f"{timing.lowest:.2f} to {timing.highest:.2f}"
        lines.append(f"{name:<30}{timing.milliseconds:>9.1f}{timing.ratio:>8.2f}{span:>16}")
    return lines


def _timing(name: str, reference: str, times: list[dict[str, float]]) -> Timing:
    ratios = [row[reference] / row[name] for row in times]
    milliseconds = 1e3 * statistics.median(row[name] for row in times)
    return Timing(milliseconds, statistics.median(ratios), min(ratios), max(ratios))
