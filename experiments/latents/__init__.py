"""Look into the latent space of a run: `python -m experiments.latents RUN ACTION --out FILE`.

RUN is the folder of a run, trained or in training; its newest checkpoint is read. docs/latents.md shows each action.
"""

import importlib
import pathlib
from collections.abc import Sequence

from experiments.command_line import cli
from experiments.command_line.errors import UserError
from experiments.models import samplers

ACTIONS = {
    "interpolate": "from image to image, on lines and on great circles",
    "traverse": "one coordinate of the latent vector at a time",
    "arithmetic": "add and take away what groups of images have in common",
    "reconstruct": "images beside what is decoded from their codes",
    "embed": "where images lie in the plane of the codes, or of their principal components",
    "grid": "all of a two-dimensional latent space",
    "project": "latents of images, searched for where there is no encoder",
    "inpaint": "holes in images, filled by the model",
    "repaint": "holes in images, filled by a denoiser",
    "sdedit": "rough drawings, made into what the data look like by a denoiser",
    "edit": "what is painted on images, obeyed by the model",
    "directions": "what changes along directions that are found",
    "video": "a film through the latent space",
    "texts": "from sentence to sentence",
    "style": "the style of images under other texts",
    "noise": "what the noise inputs of a style-based model change",
    "mix": "styles of some images in others, layer by layer",
    "blend": "two images in one, of a style-based model",
    "panorama": "images of a style-based model side by side in one",
    "stretch": "images of a style-based model twice as wide or high",
    "toonify": "the shapes of a style-based run in the look of another",
    "sticking": "whether detail moves with the image on a way through the styles",
}
"""Each a module of this package with `Options`, `draw` and the suffixes of the files that it writes, the first without
`--out`."""


def main(argv: Sequence[str]) -> int:
    """Draw one picture."""
    folder, rest = cli.run_folder(argv)
    if folder is None or (rest[:1] or ["--help"])[0] in ("-h", "--help"):
        _list()
        return 0
    name, *options = rest
    if name not in ACTIONS:
        raise UserError(f"{name!r} is no action; there are: {', '.join(ACTIONS)}")
    action = importlib.import_module(f"experiments.latents.{name}")
    chosen, changes = samplers.parse(
        action.Options(),
        folder,
        options,
        prog=f"python -m experiments.latents RUN {name}",
        description=(action.__doc__ or "").partition("\n\n")[0],
    )
    from experiments.latents import trained
    from experiments.runs.run_data import Place

    out = chosen.out or folder / f"{name}{action.SUFFIXES[0]}"
    _require_suffix(out, action.SUFFIXES)
    run = trained.load(folder, Place(chosen.data, chosen.data_dir), changes)
    try:
        for line in action.draw(run, chosen, out):
            print(line)
    except OSError as error:
        raise UserError(f"cannot write {out}: {error.strerror}; choose another --out") from error
    print(f"wrote {out}, from step {run.step:,} of {folder}")
    return 0


def _list() -> None:
    print("usage: python -m experiments.latents RUN ACTION [--out FILE] [options]\n\nactions:")
    for name, meaning in ACTIONS.items():
        print(f"  {name:<{max(map(len, ACTIONS))}}  {meaning}")
    print("\noptions of an action: python -m experiments.latents RUN ACTION --help")


def _require_suffix(out: pathlib.Path, allowed: tuple[str, ...]) -> None:
    """UserError for a file of a kind that the action does not write."""
    if out.suffix.lower() not in allowed:
        raise UserError(f"--out is {out}, but must end in {' or '.join(allowed)}")
