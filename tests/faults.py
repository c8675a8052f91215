"""Kill, damage and starve a training, and see whether it is still the same run: `python -m tests.faults`.

First a small run goes to its end undisturbed, and the checksums of all its checkpoints are noted. Then the same run is
trained again and again under faults, each life in a fresh process: killed with SIGKILL at random moments, its newest
checkpoint damaged before the next life, its disk full, its folder read-only, its pictures corrupt. After each fault,
every checkpoint that is on disk must have the checksums of the undisturbed run; at each run's end all checkpoints,
metrics and pictures must equal it bit for bit.

A fault is survived if the run goes on after it, and lost if it does not. A checkpoint that is taken for good and
differs from the undisturbed run's is a wrong restore. Linux; a full disk needs the right to mount a tmpfs.
"""

import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from experiments.command_line import cli
from experiments.command_line.errors import UserError
from jaxgen.checks import require

TIMEOUT_S = 300
"""No life takes longer."""

SETTINGS = (
    *("--batch-size", "8", "--model.generator.features", "8", "--model.critic.features", "8", "--num-samples", "4"),
    *("--steps-per-call", "5", "--checkpoint-every", "5", "--log-every", "10", "--sample-every", "20"),
    *("--best", "critic_loss"),
)
"""Of the run: small networks, and a checkpoint so often that kills hit the writing of one."""

DAMAGES = ("bit flipped", "file truncated", "file removed")


@dataclass(frozen=True)
class Options:
    """How many faults, and of what kind."""

    kills: int = 50  # lives that end with SIGKILL
    stops: int = 5  # lives that end with SIGTERM
    disks: int = 6  # runs on a disk that fills up; needs the right to mount a tmpfs
    corrupt: int = 6  # runs on a folder of pictures of which one is corrupt
    steps: int = 300  # of the run
    seed: int = 0  # of moments and damages

    def __post_init__(self):
        for name in ("kills", "stops", "disks", "corrupt"):
            require(getattr(self, name) >= 0, f"--{name}", getattr(self, name), "at least 0")
        require(self.steps >= 20 and self.steps % 20 == 0, "--steps", self.steps, "a multiple of 20")


@dataclass
class Count:
    """What came of one kind of fault."""

    tried: int = 0
    survived: int = 0
    wrong: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def lost(self) -> int:
        """Tried and not survived."""
        return self.tried - self.survived


@dataclass(frozen=True)
class Undisturbed:
    """What the run is without faults."""

    folder: pathlib.Path
    checksums: dict[int, dict[str, int]]  # of each checkpoint's arrays


class LostError(Exception):
    """A run did not survive."""


def main(argv: Sequence[str]) -> int:
    """Print a table of faults tried, survived and lost; 1 if a run was lost or wrong."""
    options = cli.parse(Options, Options(), argv, "python -m tests.faults", (__doc__ or "").partition("\n")[0])
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        counts = run(options, pathlib.Path(name), lambda text: print(text, flush=True))
    print(table(counts))
    return 1 if any(count.lost or count.wrong for count in counts.values()) else 0


def run(options: Options, folder: pathlib.Path, say: Callable[[str], None]) -> dict[str, Count]:
    """All faults in turn, in `folder`; what came of each kind."""
    chance = random.Random(options.seed)
    undisturbed = reference(folder / "undisturbed", options.steps)
    say(f"undisturbed run of {options.steps} steps: {len(undisturbed.checksums)} checkpoints")
    counts: dict[str, Count] = {}
    lives(options, folder, undisturbed, chance, counts, say)
    if options.disks:
        disks(options.disks, folder, undisturbed, chance, counts, say)
    if options.corrupt:
        pictures(options.corrupt, folder, chance, counts, say)
    return counts


def reference(folder: pathlib.Path, steps: int) -> Undisturbed:
    """Train without faults, keeping every checkpoint."""
    done = train(folder, steps, "--keep", "1000000")
    if done.returncode:
        raise UserError(f"the undisturbed run failed: {done.stdout.strip()[-400:]}")
    return Undisturbed(folder, checksums(folder))


def lives(
    options: Options,
    folder: pathlib.Path,
    undisturbed: Undisturbed,
    chance: random.Random,
    counts: dict[str, Count],
    say: Callable[[str], None],
) -> None:
    """Kill and stop lives of one run after the other, and damage the newest checkpoint before every second life."""
    faults = ["SIGKILL"] * options.kills + ["SIGTERM"] * options.stops
    chance.shuffle(faults)
    number, life, hit = 0, 0, {"a checkpoint": 0, "a deletion": 0, "another file": 0}
    out, due = folder / f"run_{number}", []
    while life < len(faults):
        fault = faults[life]
        try:
            finished = end_life(out, options.steps, fault, chance)
        except LostError as error:
            finished = False
            lose(counts, [fault, *due], f"life {life}, {out.name}: {error}")
            shutil.rmtree(out, ignore_errors=True)
        else:
            survive(counts, due if finished else [fault, *due])
        due = []
        judge(out, undisturbed, counts.setdefault(fault, Count()))
        for what in leftovers(out):
            hit[what] += 1
        if finished:  # before the fault could come, which is due again
            compare(out, undisturbed, counts.setdefault("runs brought to their end", Count()))
            number += 1
            out = folder / f"run_{number}"
            continue
        life += 1
        if life % 2 == 0 and len(checksums(out)) >= 2:
            due = [damage(out, chance)]
        say(f"life {life} of {len(faults)}: {fault}{', then ' + due[0] if due else ''}, at step {newest(out)}")
    done = train(out, options.steps)
    if done.returncode:
        lose(counts, [*due, "runs brought to their end"], f"{out.name}: {tail(done)}")
    else:
        survive(counts, due)
        compare(out, undisturbed, counts.setdefault("runs brought to their end", Count()))
    counts.setdefault("SIGKILL", Count()).notes.append(
        "killed while writing " + ", ".join(f"{what}: {num}" for what, num in hit.items())
    )


def end_life(out: pathlib.Path, steps: int, fault: str, chance: random.Random) -> bool:
    """Train until a random moment and end that life; True if the run came to its end before. LostError if it failed.

    One in six ends while it starts; the others within a second and a half of their first steps.
    """
    with start(out, steps) as process:
        try:
            return _ended(process, fault, chance)
        finally:
            process.kill()  # does nothing to one that has ended


def _ended(process: subprocess.Popen[str], fault: str, chance: random.Random) -> bool:
    if fault == "SIGKILL" and chance.random() < 1 / 6:
        time.sleep(chance.uniform(0.0, 4.0))
    else:
        said = until_trains(process)
        if said is not None:
            return came_to_its_end(process, said)
        time.sleep(chance.uniform(0.0, 1.5))
    process.send_signal(signal.SIGKILL if fault == "SIGKILL" else signal.SIGTERM)
    output, _ = process.communicate(timeout=TIMEOUT_S)
    if process.returncode == 0:
        return True
    wanted = -signal.SIGKILL if fault == "SIGKILL" else 128 + signal.SIGTERM
    if process.returncode != wanted:
        raise LostError(f"exit code {process.returncode}: {output.strip()[-400:]}")
    return False


def until_trains(process: subprocess.Popen[str]) -> str | None:
    """Read until the first line of a step, and return None; all that was said if the process ends before."""
    said = ""
    assert process.stdout is not None
    for line in process.stdout:
        said += line
        if line.startswith("step "):
            return None
    return said


def came_to_its_end(process: subprocess.Popen[str], said: str) -> bool:
    """True for a run that says it has all its steps. LostError for one that failed."""
    code = process.wait(timeout=TIMEOUT_S)
    if code:
        raise LostError(f"exit code {code}: {said.strip()[-400:]}")
    return True


def damage(out: pathlib.Path, chance: random.Random) -> str:
    """Damage one file of the newest checkpoint at random, and say how."""
    root = out / "checkpoints" / str(newest(out))
    paths = sorted(path for path in root.rglob("*") if path.is_file() and path.stat().st_size)
    path, how = chance.choice(paths), chance.choice(DAMAGES)
    content = bytearray(path.read_bytes())
    if how == "file removed":
        path.unlink()
        return how
    if how == "file truncated":
        del content[chance.randrange(len(content)) :]
    else:
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)
    return how


def disks(
    num: int,
    folder: pathlib.Path,
    undisturbed: Undisturbed,
    chance: random.Random,
    counts: dict[str, Count],
    say: Callable[[str], None],
) -> None:
    """Train where the disk fills up at a random byte, or turns read-only; make room and go on to the end."""
    try:
        with tmpfs(folder / "probe"):
            pass
    except UserError as error:
        for fault in ("full disk", "read-only folder"):
            counts[fault] = Count(notes=[f"skipped: {error}"])
        return
    for index in range(num):
        with tmpfs(folder / f"disk_{index}") as disk:
            starve(disk, undisturbed, chance.randrange(1_000, 200_000), counts.setdefault("full disk", Count()))
        say(f"full disk {index + 1} of {num}")
    with tmpfs(folder / "read_only") as disk:
        forbid(disk, undisturbed, counts.setdefault("read-only folder", Count()))


@contextmanager
def tmpfs(folder: pathlib.Path) -> Iterator[pathlib.Path]:
    """A small file system in memory. UserError where it may not be mounted."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        raise UserError(f"cannot mount a tmpfs ({mounted.stderr.strip()})")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def starve(disk: pathlib.Path, undisturbed: Undisturbed, room: int, count: Count) -> None:
    """Leave `room` bytes; the run must stop with a sentence, and go on to its end when there is more."""
    out, filler, steps = disk / "run", disk / "filler", 60
    usage = shutil.disk_usage(disk)
    filler.write_bytes(bytes(max(usage.free - room, 0)))
    stopped = train(out, steps)
    filler.unlink()
    judge(out, undisturbed, count)
    recovered(stopped, (2, 3), train(out, steps), out, undisturbed, count)


def forbid(disk: pathlib.Path, undisturbed: Undisturbed, count: Count) -> None:
    """Make the disk read-only between two lives: the next one must stop with a sentence and change nothing."""
    out = disk / "run"
    train(out, 20)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    stopped = train(out, 60)
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    recovered(stopped, (2, 3), train(out, 60), out, undisturbed, count)


def recovered(
    stopped: subprocess.CompletedProcess[str],
    codes: tuple[int, ...],
    again: subprocess.CompletedProcess[str],
    out: pathlib.Path,
    undisturbed: Undisturbed,
    count: Count,
) -> None:
    """Count a fault after which a run stopped and went on."""
    count.tried += 1
    lines = [line for line in stopped.stdout.splitlines() if line.startswith("error: ")]
    clean = "Traceback" not in stopped.stdout and len(lines) == 1 and stopped.stdout.endswith(f"{lines[0]}\n")
    if stopped.returncode in codes and clean and again.returncode == 0 and newest(out) == 60:
        count.survived += 1
    else:
        count.notes.append(f"{stopped.returncode}: {tail(stopped)}; then {again.returncode}: {tail(again)}")
    judge(out, undisturbed, count)


def pictures(
    num: int, folder: pathlib.Path, chance: random.Random, counts: dict[str, Count], say: Callable[[str], None]
) -> None:
    """Train on folders of which one picture is corrupt; the run must refuse it by its name, and train without it."""
    import numpy as np
    from PIL import Image

    count = counts.setdefault("corrupt picture", Count())
    for index in range(num):
        images = folder / f"pictures_{index}"
        images.mkdir()
        for picture in range(8):
            pixels = np.random.Generator(np.random.Philox(key=[index, picture])).integers(0, 256, (8, 8, 3), np.uint8)
            Image.fromarray(pixels).save(images / f"{picture}.png")
        victim = images / f"{chance.randrange(8)}.png"
        content = victim.read_bytes()
        victim.write_bytes(content[: chance.randrange(len(content) - 12)])
        options = ("--data", f"folder:{images}", "--best", "None")
        refused = train(folder / f"on_pictures_{index}", 20, *options)
        victim.write_bytes(content)
        mended = train(folder / f"on_pictures_{index}", 20, *options)
        count.tried += 1
        told = [line for line in refused.stdout.splitlines() if line.startswith("error: ") and victim.name in line]
        if refused.returncode == 2 and len(told) == 1 and "Traceback" not in refused.stdout and not mended.returncode:
            count.survived += 1
        else:
            count.notes.append(f"{refused.returncode}: {tail(refused)}; then {mended.returncode}: {tail(mended)}")
        say(f"corrupt picture {index + 1} of {num}")


def start(out: pathlib.Path, steps: int, *options: str) -> subprocess.Popen[str]:
    """Begin a life, or go on, on one device, in a process group of its own."""
    return subprocess.Popen(
        command(out, steps, *options), env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def train(out: pathlib.Path, steps: int, *options: str) -> subprocess.CompletedProcess[str]:
    """A whole life."""
    return subprocess.run(
        command(out, steps, *options),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


def command(out: pathlib.Path, steps: int, *options: str) -> list[str]:
    """What a person would type."""
    module = [sys.executable, "-m", "experiments.train", "wgan_gp_digits"]
    return [*module, "--out", str(out), "--steps", str(steps), *SETTINGS, *options]


def environment() -> dict[str, str]:
    """One CPU device, and compiled programs kept between lives."""
    cache = pathlib.Path(tempfile.gettempdir()) / "jaxgen-faults-cache"
    ours = {"JAX_PLATFORMS": "cpu", "JAX_NUM_CPU_DEVICES": "1", "PYTHONUNBUFFERED": "1"}
    kept = {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0", "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1"}
    return {"JAX_COMPILATION_CACHE_DIR": str(cache)} | dict(os.environ) | ours | kept


def newest(out: pathlib.Path) -> int:
    """Step of the newest checkpoint, damaged or not; 0 if there is none."""
    return max((int(path.name) for path in (out / "checkpoints").glob("[0-9]*") if path.name.isdigit()), default=0)


def checksums(out: pathlib.Path) -> dict[int, dict[str, int]]:
    """Checksums that each readable checkpoint notes of its arrays, by step."""
    found = {}
    for path in (out / "checkpoints").glob("[0-9]*/meta/metadata"):
        try:
            found[int(path.parent.parent.name)] = json.loads(path.read_text(encoding="utf-8"))["crc32"]
        except (ValueError, KeyError, OSError):
            continue
    return found


def leftovers(out: pathlib.Path) -> set[str]:
    """What was being written when a life ended."""
    kinds = {"a checkpoint": "*.orbax-checkpoint-tmp*", "a deletion": ".deleted-*"}
    found = {what for what, pattern in kinds.items() if any((out / "checkpoints").glob(pattern))}
    return found | ({"another file"} if any(out.rglob(".*.unfinished")) else set())


def judge(out: pathlib.Path, undisturbed: Undisturbed, count: Count) -> None:
    """Count checkpoints that a life has left and that are not those of the undisturbed run."""
    for step, found in checksums(out).items():
        if found != undisturbed.checksums.get(step):
            count.wrong += 1
            count.notes.append(f"{out.name}: the checkpoint of step {step} is another one")


def compare(out: pathlib.Path, undisturbed: Undisturbed, count: Count) -> None:
    """Count a run at its end: survived if its state, metrics and pictures are those of the undisturbed run."""
    count.tried += 1
    end = max(undisturbed.checksums)
    pairs = {
        "final state": (state(out, end), state(undisturbed.folder, end)),
        "metrics": (metrics(out), metrics(undisturbed.folder)),
        "pictures": (drawn(out), drawn(undisturbed.folder)),
    }
    differing = [name for name, (here, there) in pairs.items() if here != there]
    count.wrong += bool(differing)
    count.survived += not differing
    count.notes += [f"{out.name}: other {name}" for name in differing]


def state(out: pathlib.Path, step: int) -> dict[str, Any] | None:
    """Bytes of every array, restored and checked in this process; None if the newest good checkpoint is another."""
    import jax
    import numpy as np

    from experiments.runs import restore

    _, _, found, restored = restore.newest(out)
    leaves = jax.tree_util.tree_leaves_with_path(jax.device_get(restored))
    return {jax.tree_util.keystr(path): np.asarray(leaf).tobytes() for path, leaf in leaves} if found == step else None


def metrics(out: pathlib.Path) -> list[dict[str, Any]]:
    """Lines of metrics.jsonl without what the clock says."""
    lines = (json.loads(line) for line in (out / "metrics.jsonl").read_text(encoding="utf-8").splitlines())
    return [{key: value for key, value in line.items() if not key.endswith("_per_s")} for line in lines]


def drawn(out: pathlib.Path) -> dict[str, bytes]:
    """The pictures, by name."""
    return {path.name: path.read_bytes() for path in sorted((out / "samples").glob("*.png"))}


def survive(counts: dict[str, Count], faults: Sequence[str]) -> None:
    """Count faults that a run has survived."""
    for fault in faults:
        count = counts.setdefault(fault, Count())
        count.tried += 1
        count.survived += 1


def lose(counts: dict[str, Count], faults: Sequence[str], note: str) -> None:
    """Count faults of which a run has died."""
    for fault in faults:
        count = counts.setdefault(fault, Count())
        count.tried += 1
        count.notes.append(note)


def tail(done: subprocess.CompletedProcess[str]) -> str:
    """The end of what a life has said."""
    return done.stdout.strip()[-300:]


def table(counts: dict[str, Count]) -> str:
    """One row for each kind of fault, and what is to be said of it."""
    lines = [f"{'fault':<28}{'tried':>7}{'survived':>10}{'lost':>6}{'wrong':>7}"]
    for fault, count in counts.items():
        lines.append(f"{fault:<28}{count.tried:>7}{count.survived:>10}{count.lost:>6}{count.wrong:>7}")
    lines += [f"{fault}: {note}" for fault, count in counts.items() for note in count.notes]
    return "\n".join(lines)


if __name__ == "__main__":
    cli.run(main)
