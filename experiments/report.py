"""One page on several runs: `python -m experiments.report RUN... --out report.html`.

Curves of every metric, how the samples have changed, the evaluations side by side, and the settings. The page needs no
network and no script: pictures and curves are in it.
"""

import pathlib
from collections.abc import Sequence
from dataclasses import dataclass

from experiments.command_line import cli
from experiments.command_line.errors import UserError
from experiments.reports import page, reading
from experiments.runs import files
from jaxgen.checks import require


@dataclass(frozen=True)
class Options:
    """Where to write it, and how much to show."""

    out: pathlib.Path = pathlib.Path("report.html")  # page to write
    pictures: int = 6  # of each run's samples, from the first to the newest

    def __post_init__(self):
        require(self.pictures >= 1, "--pictures", self.pictures, "at least 1")


def main(argv: Sequence[str]) -> int:
    """Write one page."""
    if not argv:
        print("usage: python -m experiments.report RUN... [--out FILE.html] [options]")
        return 0
    num = next((place for place, part in enumerate(argv) if part.startswith("-")), len(argv))
    folders, options = [pathlib.Path(part) for part in argv[:num]], list(argv[num:])
    chosen = cli.parse(
        Options,
        Options(),
        options,
        prog="python -m experiments.report RUN...",
        description=(__doc__ or "").partition("\n\n")[0],
    )
    if not folders or "" in argv[:num]:
        raise UserError("the folders of runs come first, before any option")
    if chosen.out.suffix.lower() not in (".html", ".htm"):
        raise UserError(f"--out is {chosen.out}, but must end in .html")
    text = page.page(reading.read(folders), chosen.pictures)
    try:
        chosen.out.parent.mkdir(parents=True, exist_ok=True)
        files.write(chosen.out, text)
    except OSError as error:
        raise UserError(f"cannot write {chosen.out}: {error.strerror}; choose another --out") from error
    print(f"wrote {chosen.out}, {len(text.encode()) / 1e6:.1f} MB on {len(folders)} run{'s' * (len(folders) > 1)}")
    return 0


if __name__ == "__main__":
    cli.run(main)
