"""Paint on images of a run in the browser: `python -m experiments.studio RUN`, then open the address that is printed.

A brush asks for colours, for lines or for a patch at another place; the model answers with candidates, of which one is
chosen to go on from. Sliders turn the image along directions of the latent space. The photograph where the edit began
takes on the motion and the change of colour.
"""

import importlib.util
import pathlib
from collections.abc import Sequence
from dataclasses import dataclass

from experiments.command_line import cli
from experiments.command_line.errors import UserError
from experiments.latents import editor
from experiments.latents.editor import Search
from jaxgen.checks import require


@dataclass(frozen=True)
class Options(Search):
    """What is painted on, how candidates are searched for, and where the page is."""

    image: str = "sample:0"  # where to begin: a class, test:12, sample:5, latents:FILE, a file
    sliders: int = 8  # directions of the latent space
    label: str | None = None  # class that a conditional model is told; the image's own if not given
    invert: bool = False  # exchange dark and light of your own picture
    host: str = "127.0.0.1"  # address to listen on; another than 127.0.0.1 lets other machines in, without a password
    port: int = 8080  # of the address
    show: bool = False  # open the page in this machine's browser
    data: str | None = None  # the run's data in their new place, such as folder:PATH; as in the training if not given
    data_dir: pathlib.Path | None = None  # where prepared data sets lie; as in the training if not given

    def __post_init__(self):
        require(0 <= self.sliders <= 100, "--sliders", self.sliders, "in [0, 100]")
        require(1 <= self.port <= 65_535, "--port", self.port, "in [1, 65,535]")
        editor.require_settings(self)


def main(argv: Sequence[str]) -> int:
    """Serve the page until it is interrupted."""
    folder, words = cli.run_folder(argv)
    if folder is None:
        print("usage: python -m experiments.studio RUN [options]")
        return 0
    description = (__doc__ or "").partition("\n\n")[0]
    chosen = cli.parse(Options, Options(), words, prog="python -m experiments.studio RUN", description=description)
    if importlib.util.find_spec("nicegui") is None:
        raise UserError("the page needs nicegui: pip install -e '.[studio]'")
    from experiments.latents import page, painting, trained
    from experiments.runs.run_data import Place

    run = trained.load(folder, Place(chosen.data, chosen.data_dir))
    studio = painting.opened(run, chosen, chosen.sliders, chosen.label)
    session, lines = painting.begin(studio, chosen.image, chosen.invert)
    for line in lines:
        print(line)
    print(f"open http://{chosen.host}:{chosen.port}", flush=True)
    page.serve(session, page.Address(chosen.host, chosen.port, chosen.show))
    return 0


if __name__ == "__main__":
    cli.run(main)
