"""What a run tells while it goes: metrics.jsonl, and a progress bar or plain lines."""

import json
import pathlib
import sys
import time
from typing import Any

import numpy as np

from experiments.command_line import terminal
from experiments.command_line.terminal import show
from experiments.runs import files
from experiments.training.writers import Sink


class Means:
    """Means of metrics over the steps since the last log line. `notes` goes to a checkpoint and comes back with it."""

    def __init__(self, notes: dict[str, Any] | None = None):
        notes = notes or {"sums": {}, "nums": {}}
        self._sums: dict[str, float] = dict(notes["sums"])
        # Of each metric: a stage may log what the one before does not. Earlier versions noted one number for all.
        nums: Any = notes["nums"] if "nums" in notes else dict.fromkeys(self._sums, notes["num"])
        self._nums: dict[str, int] = dict(nums)

    def add(self, metrics: dict[str, np.ndarray]) -> None:
        """Add the metrics of some steps, one value a step."""
        for name, values in metrics.items():
            self._sums[name] = self._sums.get(name, 0.0) + float(np.sum(values, dtype=np.float64))
            self._nums[name] = self._nums.get(name, 0) + len(values)

    def means(self) -> dict[str, float]:
        """Mean of each metric."""
        return {name: value / self._nums[name] for name, value in self._sums.items()}

    def notes(self) -> dict[str, Any]:
        """What JSON takes; exact."""
        return {"sums": dict(self._sums), "nums": dict(self._nums)}


class Reporter:
    """Writes the metrics of each log step, to the file and for the person watching. A context manager."""

    def __init__(self, folder: pathlib.Path, start: int, end: int, sinks: list[Sink]):
        from tqdm import tqdm

        self._end = end
        self._last, self._last_step = time.monotonic(), start
        self._compiled: tuple[float, int] | None = None  # when the first steps were done, and how many
        self._path = folder / "metrics.jsonl"
        keep_until(self._path, start)
        self._sinks = sinks
        self._bar = tqdm(
            total=end,
            initial=start,
            unit="step",
            disable=bool(terminal.NAME.get()) or not sys.stderr.isatty(),
            dynamic_ncols=True,
        )

    def __enter__(self) -> "Reporter":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def progress(self, step: int) -> None:
        """Move the bar."""
        self._compiled = self._compiled or (time.monotonic(), step)
        self._bar.update(step - self._bar.n)

    def log(self, step: int, metrics: dict[str, float], images_per_step: int) -> None:
        """Record the metrics of a log step."""
        now = time.monotonic()
        rate = (step - self._last_step) / max(now - self._last, 1e-9)
        shown = rate
        if (
            self._compiled and self._last < self._compiled[0] and self._compiled[1] < step
        ):  # without the compiler's time
            shown = (step - self._compiled[1]) / max(now - self._compiled[0], 1e-9)
        self._last, self._last_step = now, step
        line = {
            "step": step,
            **metrics,
            "steps_per_s": rate,
            "images_per_s": rate * images_per_step,
        }
        files.append(self._path, json.dumps(line) + "\n")
        for sink in self._sinks:
            sink.metrics(step, {name: value for name, value in line.items() if name != "step"})
        self._show(step, metrics, shown)

    def picture(self, step: int, kind: str, picture: np.ndarray) -> None:
        """Send a picture that the run's folder has."""
        for sink in self._sinks:
            sink.picture(step, kind, picture)

    def say(self, text: str) -> None:
        """A line for the person watching, above the bar if there is one."""
        if self._bar.disable:
            show(text)
        else:
            self._bar.write(text)

    def _show(self, step: int, metrics: dict[str, float], rate: float) -> None:
        losses = "  ".join(f"{name} {value:.4g}" for name, value in metrics.items())
        if not self._bar.disable:
            self._bar.set_postfix_str(losses)
            return
        left = duration((self._end - step) / max(rate, 1e-9))
        show(f"step {step:,}/{self._end:,}  {rate:.1f} steps/s  {left} left  {losses}")


class Silent:
    """A Reporter that tells nobody: for processes beside the first."""

    def __enter__(self) -> "Silent":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def progress(self, step: int) -> None:
        """Nothing."""

    def log(self, step: int, metrics: dict[str, float], images_per_step: int) -> None:
        """Nothing."""

    def picture(self, step: int, kind: str, picture: np.ndarray) -> None:
        """Nothing."""

    def say(self, text: str) -> None:
        """Nothing."""


def duration(seconds: float) -> str:
    """1h02m, 3m04s or 5s."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes:02d}m"
    return f"{minutes}m{seconds:02d}s" if minutes else f"{seconds}s"


def keep_until(path: pathlib.Path, step: int) -> None:
    """Drop the lines of steps after `step`: they belong to work that a stop has lost and that is done again."""
    if not path.exists():
        return
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    kept = [line for line in lines if _step_of(line) <= step]
    if kept != lines:
        files.write(path, "".join(kept))


def _step_of(line: str) -> float:
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return float("inf")  # a line that something else has damaged
