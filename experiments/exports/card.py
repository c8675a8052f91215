"""README.md of an exported folder: a model card with the front matter of Hugging Face.

It says what the run says, and nothing else: whoever publishes the folder fills in the licence.
"""

import inspect
import pathlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

import jax
from jax import export

import jaxgen
from experiments import data
from experiments.command_line.errors import UserError
from experiments.data import tokens
from experiments.data.card import printable
from experiments.data.request import public_name
from experiments.evaluation import table
from experiments.exports import examples, picture, programs, weights
from experiments.models import abilities, conditions
from experiments.reports import reading
from experiments.runs.experiment import Experiment, model_of

FILE = "README.md"

SHOWN = 20
"""Classes that are named."""

LICENCE = "License: (whoever publishes this folder fills this in; mind the terms of the data)"


def text(
    folder: pathlib.Path,
    experiment: Experiment,
    about: Mapping[str, str],
    made: Sequence[tuple[programs.Program, export.Exported]],
    evaluation: dict[str, Any] | None,
) -> str:
    """The card of what lies in `folder`; `about`: run, experiment and step."""
    drawn = f"![Samples]({picture.FILE})\n\n" if (folder / picture.FILE).exists() else ""
    parts = [
        _front_matter(experiment),
        f"# {about['experiment']}\n\n{drawn}{LICENCE}",
        "## Model\n\n" + "\n".join(_model(experiment, about, folder)),
        "## Data\n\n" + "\n".join(_data(experiment, evaluation)),
        "## Numbers\n\n" + _numbers(evaluation),
        "## Files\n\n" + "\n".join(_files(folder, made)),
        "## Loading\n\n" + "\n\n".join(_loading(experiment, made)),
    ]
    return "\n\n".join(parts) + "\n"


def evaluation_of(run: pathlib.Path, step: int) -> dict[str, Any] | None:
    """The run's evaluation of that step; None if there is none. UserError for a damaged evaluation.json."""
    (found,) = reading.read([run])
    return found.evaluation if found.evaluation is not None and found.evaluation.get("step") == step else None


def _front_matter(experiment: Experiment) -> str:
    config = experiment.model
    tags = ["jax", "flax", abilities.name_of(config).replace("_", "-")]
    kind = {None: "unconditional-image-generation", "inputs": "image-to-image", "captions": "text-to-image"}
    kind |= {("images", "labels"): "image-to-image"}
    task = kind.get(abilities.condition_of(config)) if programs.has_pixels(config) else None
    lines = ["---", "# license:", "library_name: jaxgen", *([f"pipeline_tag: {task}"] if task else [])]
    return "\n".join([*lines, "tags:", *(f"- {tag}" for tag in tags), "---"])


def _model(experiment: Experiment, about: Mapping[str, str], folder: pathlib.Path) -> list[str]:
    config = experiment.model
    title, paper = described(model_of(config))
    found = weights.load(folder / weights.FILE)
    num = sum(array.size for name, array in found.items() if "params" in name.split("/"))
    values = "in no bounds" if config.value_range is None else f"in {config.value_range}"
    return [
        f"- {title}: `{type(config).__module__}`",
        *([f"- Paper: {paper}"] if paper else []),
        f"- Makes: {'x'.join(map(str, config.image_shape))}, {values}",
        f"- Training: {int(about['step']):,} steps, batches of {experiment.batch_size}, seed {experiment.seed}",
        f"- Weights: {num:,} numbers in all networks, a moving average among them where the model keeps one",
        f"- Run `{about['run']}`, jaxgen {jaxgen.__version__}, jax {jax.__version__}",
    ]


def described(model: Any) -> tuple[str, str]:
    """Name and paper of a model, from the docstring of its module; no paper if it does not begin with one."""
    head, *rest = (" ".join(part.split()) for part in (inspect.getdoc(model) or model.__name__).split("\n\n"))
    sentence = re.match(r".*?\b(?:19|20)\d\d\b.*?\.(?=\s|$)", rest[0]) if rest else None
    return head.removesuffix("."), sentence[0] if sentence else ""


def _data(experiment: Experiment, evaluation: dict[str, Any] | None) -> list[str]:
    lines = [f"- Name: `{public_name(experiment.data)}`"]
    if evaluation is not None:
        num, classes = evaluation["num_train"], evaluation["classes"]
    else:
        try:
            there = data.load_for(experiment)
        except UserError:
            return [*lines, "- Number and classes: not known, as the data were not at hand at the export"]
        num, classes = len(there), there.classes
    lines.append(f"- Training examples: {num:,}")
    if classes:
        more = f", and {len(classes) - SHOWN} more" if len(classes) > SHOWN else ""
        lines.append(f"- Classes ({len(classes)}): {', '.join(map(printable, classes[:SHOWN]))}{more}")
    return lines


def _numbers(evaluation: dict[str, Any] | None) -> str:
    if evaluation is None:
        return "None: this step was not evaluated."
    titles = table.columns(evaluation)
    titles.pop("against", None)
    rows = [row for row in evaluation["rows"] if row.get("samples", {}).get("value") is not None]
    cells = (
        (
            row["name"] + table.AIMS[row["better"]],
            table.extracted(row),
            *(table.shown(row.get(name, {})) for name in titles),
        )
        for row in rows
    )
    return "\n".join(
        [
            f"{evaluation['num_samples']:,} samples of seed {evaluation['seed']}, as `python -m experiments.evaluate` "
            "judges them; the last column is the same of real examples.",
            "",
            f"| metric | extractor | {' | '.join(f'{title} [95 %]' for title in titles.values())} |",
            f"|---|---|{'---|' * len(titles)}",
            *(f"| {' | '.join(line)} |" for line in cells),
        ]
    )


def _files(folder: pathlib.Path, made: Sequence[tuple[programs.Program, export.Exported]]) -> list[str]:
    said = {
        weights.FILE: "all networks, without what optimisers remember",
        "config.json": "the model's settings",
        **({tokens.FILE: "the vocabulary of captions, of the library tokenizers"} if _reads(folder) else {}),
        **{f"{program.name}.jax": signature(program, one) for program, one in made},
    }
    size = lambda name: (folder / name).stat().st_size / 1e6  # noqa: E731
    return [
        "| file | MB | |",
        "|---|---|---|",
        *(f"| `{name}` | {size(name):.2g} | {what} |" for name, what in said.items()),
    ]


def _reads(folder: pathlib.Path) -> bool:
    return (folder / tokens.FILE).is_file()


def signature(program: programs.Program, one: export.Exported) -> str:
    """What a program takes and gives, as it was exported."""
    taken = zip(program.arguments, one.in_avals, strict=True)
    inputs = ", ".join(f"{name} {aval.dtype}{_shape(aval)}" for (name, _, _), aval in taken)
    (made,) = one.out_avals
    return f"{inputs} to {program.gives} {made.dtype}{_shape(made)}; for {', '.join(one.platforms)}"


def _shape(aval: Any) -> str:
    return f"[{', '.join(map(str, aval.shape))}]"


def _loading(experiment: Experiment, made: Sequence[tuple[programs.Program, export.Exported]]) -> list[str]:
    model = examples.MODEL + ("" if conditions.takes_examples(experiment.model) else examples.DRAWN)
    blocks = {
        **{
            f"`{program.name}.jax`, with jax and flatbuffers": examples.of_program(program, one)
            for program, one in made
        },
        "`weights.safetensors`, with safetensors": examples.WEIGHTS,
        "`config.json`, in a clone of jaxgen": examples.SETTINGS,
        "Settings and weights as a model, in a clone of jaxgen, their shapes checked": model,
    }
    return [f"{title}:\n\n```python\n{block}```" for title, block in blocks.items()]
