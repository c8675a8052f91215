"""The pages of docs/: each has its place, says what is so, and leads where it says."""

import ast
import functools
import pathlib
import re
import runpy
import tomllib
from collections import Counter

import numpy as np
import pytest
import yaml
from PIL import Image

from experiments import train
from experiments.command_line.errors import UserError
from experiments.reports import records, results
from experiments.runs import experiment
from tests import pages

ROOT = pathlib.Path(__file__).parent.parent
DOCS = ROOT / "docs"
SITE = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
ROOT_PAGES = ("CHANGELOG.md", "CONTRIBUTING.md")
PAGES = {path.relative_to(DOCS).as_posix(): path.read_text(encoding="utf-8") for path in sorted(DOCS.rglob("*.md"))}
MODEL_PAGES = {name: page for name, page in PAGES.items() if name.startswith("models/")}
LIBRARY = [path.relative_to(ROOT) for path in sorted((ROOT / "jaxgen").rglob("*.py"))]


def module_of(path: pathlib.Path) -> str:
    return ".".join(path.with_suffix("").parts)


def public_modules() -> list[str]:
    return [module_of(path) for path in LIBRARY if not path.name.startswith("_")]


def models() -> list[str]:
    """Modules with a Config of a family."""
    sources = {path: (ROOT / path).read_text(encoding="utf-8") for path in LIBRARY}
    return [module_of(path) for path, text in sources.items() if "\nclass Config(" in text]


def documented(page: str) -> list[str]:
    """The modules whose docstrings the site puts there."""
    return re.findall(r"^::: ([\w.]+)$", page, re.MULTILINE)


def without_code(page: str) -> str:
    return re.sub(r"^(`{3,}).*?^\1$|`[^`\n]+`", "", page, flags=re.DOTALL | re.MULTILINE)


def test_every_public_module_of_the_library_is_documented_on_one_page():
    found = [name for page in PAGES.values() for name in documented(without_code(page))]
    assert sorted(found) == sorted(public_modules())


def test_every_model_has_a_page_and_every_page_one_model():
    assert sorted(name for page in MODEL_PAGES.values() for name in documented(page)) == sorted(models())
    assert all(len(documented(page)) == 1 for page in MODEL_PAGES.values())


SECTIONS = ["Equations", "Experiments", "Pitfalls", "What differs from the paper", "Functions"]
SHOWN = ["Picture", "Learning curves"]
"""Sections between experiments and pitfalls: of a model with a picture, and with a record that has curves."""


UNMEASURED = {
    "models/began.md",
    "models/bicyclegan.md",
    "models/ccgan.md",
    "models/context_encoder.md",
    "models/cyclegan.md",
    "models/discogan.md",
    "models/dualgan.md",
    "models/factor_vae.md",
    "models/kl_autoencoder.md",
    "models/latent_encoder.md",
    "models/munit.md",
    "models/partial_conv.md",
    "models/pix2pix.md",
    "models/pixelda.md",
    "models/sigan.md",
    "models/srgan.md",
    "models/srresnet.md",
    "models/stargan.md",
    "models/style_encoder.md",
    "models/stylegan.md",
    "models/stylegan2.md",
    "models/stylegan3.md",
    "models/tp_gan.md",
    "models/unit.md",
}
"""Pages of models that have no record of a run yet."""


def experiments_of(page: str) -> dict[str, tuple[str, int, int]]:
    """Of each experiment of a page: data, updates, batch size."""
    rows = re.findall(r"^\| `(\w+)` \| `([^`]+)` \| ([\d,]+) of ([\d,]+) \| .+ \|$", page, re.MULTILINE)
    return {name: (data, int(steps.replace(",", "")), int(batch.replace(",", ""))) for name, data, steps, batch in rows}


@pytest.mark.parametrize("name", MODEL_PAGES)
def test_a_models_page_has_its_equations_experiments_and_pitfalls(name):
    page = MODEL_PAGES[name]
    titles = re.findall(r"^## (.+)$", page, re.MULTILINE)
    assert [title for title in titles if title not in SHOWN] == SECTIONS
    assert [title for title in SHOWN if title in titles] == titles[2 : titles.index("Pitfalls")]
    assert "$$" in page and len(page.splitlines()) < 80
    (module,) = documented(page)
    assert f"[`{module}`](../../{module.replace('.', '/')}.py)" in page
    (command,) = re.findall(r"^python -m experiments\.train (\w+)", page, re.MULTILINE)
    assert command in experiments_of(page)
    for chosen, (data, steps, batch) in experiments_of(page).items():
        loaded = experiment.load(chosen)
        assert type(loaded.model).__module__ == module, chosen
        assert (loaded.data, loaded.steps, loaded.batch_size) == (data, steps, batch), chosen


@functools.cache
def strings_of_the_library() -> set[str]:
    return {
        node.value
        for path in LIBRARY
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


@pytest.mark.parametrize("name", MODEL_PAGES)
def test_metrics_that_a_models_page_names_are_strings_of_the_library(name):
    """Pitfalls say how a fault is seen: a metric with another name would be looked for in vain."""
    table = MODEL_PAGES[name].partition("## Pitfalls")[2].partition("\n## ")[0]
    first_cells = re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE)
    metrics = {metric for cell in first_cells for metric in re.findall(r"`([a-z]+(?:_[a-z]+)*)`", cell)}
    assert metrics - {"eps_root"} <= strings_of_the_library()


RECORDS = [one for _, one in records.read(DOCS / "results" / "runs")]


@pytest.mark.parametrize("name", MODEL_PAGES)
def test_a_models_page_leads_to_its_results_and_shows_their_curves(name):
    (module,) = documented(MODEL_PAGES[name])
    measured = {link for link, model in results.links(RECORDS).items() if model == module}
    assert not (measured and name in UNMEASURED)
    if not measured:
        return
    linked = set(re.findall(r"\]\(\.\./results/(\w+\.md#[\w-]+)\)", MODEL_PAGES[name]))
    assert measured == {link for link in linked if not link.startswith("earlier")}
    drawn = {f"{link.partition('#')[2]}.png" for link in measured} & results.with_curves(RECORDS).keys()
    shown = re.findall(r"\(\.\./figures/curves/([\w-]+\.png)\)", MODEL_PAGES[name])
    assert len(shown) == bool(drawn) and set(shown) <= drawn
    pictures = [link for link in measured if (DOCS / "figures" / f"{link.partition('#')[2]}.png").exists()]
    assert ("## Picture\n" in MODEL_PAGES[name]) == bool(pictures)


def test_what_is_measured_anew_is_not_among_the_earlier_numbers():
    """A published experiment with two seeds has its numbers on the page that the command writes."""
    seeds = Counter(one["experiment"] for one in RECORDS if records.is_published(one))
    earlier = re.findall(r"^\| `(\w+)`", PAGES["results/earlier.md"], re.MULTILINE)
    assert {name for name, num in seeds.items() if num > 1}.isdisjoint(earlier)


def test_every_experiment_is_on_exactly_one_models_page():
    listed = [name for page in MODEL_PAGES.values() for name in experiments_of(page)]
    assert sorted(listed) == sorted(experiment.names())


def test_the_page_of_commands_has_a_section_for_each():
    found = [path.stem for path in (ROOT / "experiments").glob("[!_]*.py")]
    found += [path.parent.name for path in (ROOT / "experiments").glob("*/__main__.py")]
    assert sorted(re.findall(r"^## (\w+)$", PAGES["commands.md"], re.MULTILINE)) == sorted(found)


def entries(nav) -> list[str]:
    """The files of a navigation; an entry that ends with / stands for the pages of a folder."""
    if isinstance(nav, str):
        return [name for name in PAGES if name.startswith(nav)] if nav.endswith("/") else [nav]
    values = nav if isinstance(nav, list) else nav.values()
    return [name for value in values for name in entries(value)]


def test_every_page_is_in_the_navigation_once():
    assert sorted(entries(SITE["nav"])) == sorted([*PAGES, *ROOT_PAGES])


def anchors(page: str) -> set[str]:
    """Of the headings, as GitHub and the site make them."""
    titles = re.findall(
        r"^#+ (.+)$", re.sub(r"^(`{3,}).*?^\1$", "", page, flags=re.DOTALL | re.MULTILINE), re.MULTILINE
    )
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("name", [*(f"docs/{name}" for name in PAGES), *ROOT_PAGES, "README.md"])
def test_links_of_a_page_lead_to_files_and_headings(name):
    here = ROOT / name
    for link in re.findall(r"\]\(([^)\s]+)\)", without_code(here.read_text(encoding="utf-8"))):
        if re.match(r"https?:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (here.parent / path).resolve() if path else here
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target.read_text(encoding="utf-8")), link


def test_no_page_asks_the_network_for_a_font_or_a_script():
    assert SITE["theme"]["font"] is False
    assert not [name for name in (*SITE["extra"]["polyfills"], *SITE["extra_css"]) if "://" in name]
    for path in (DOCS / "assets").iterdir():
        assert "://" not in path.read_text(encoding="utf-8"), path.name


def test_pictures_are_small_and_each_is_shown():
    thumbnails = sorted((DOCS / "figures" / "thumbnails").glob("*.png"))
    assert (DOCS / "figures" / "strip.png").stat().st_size < 300_000
    for picture in (DOCS / "figures").glob("*.png"):
        assert picture.name == "strip.png" or picture.stat().st_size < 160_000, picture.name
    assert sum(path.stat().st_size for path in thumbnails) < 12_000 * len(thumbnails)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    text = readme + "".join(PAGES.values())
    assert [path.name for path in sorted((DOCS / "figures").rglob("*.png")) if path.name not in text] == []


def test_the_strip_is_what_its_script_makes_of_the_pictures():
    names = runpy.run_path(str(DOCS / "figures" / "compose.py"))
    made, kept = (np.asarray(one, np.float32) for one in (names["strip"](), Image.open(DOCS / "figures" / "strip.png")))
    assert made.shape == kept.shape and np.abs(made - kept).mean() < 1
    assert {*names["THUMBNAILS"], *names["PLANES"]} == {
        path.stem for path in (DOCS / "figures" / "thumbnails").glob("*.png")
    }


@pytest.mark.parametrize("number", range(2))
def test_the_networks_of_the_guide_run(number):
    block = pages.blocks(PAGES["own_network.md"], "python")[number]
    names: dict = {}
    exec(compile(block, "docs/own_network.md", "exec"), names)
    assert names["state"].critic.params


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["wgangp_digits"], "no experiment is named 'wgangp_digits'; did you mean wgan_gp_digits?"),
        (["wgan_gp_mnist"], "no data set 'mnist' is prepared in "),
        (["wgan_gp_digits", "--data", "./photos"], "photos is a path, not the name of a set"),
        (["wgan_gp_digits", "--data", r"folder:C:\Users\me\photos"], r"there is no folder C:\Users\me\photos"),
    ],
)
def test_first_errors_are_what_the_page_says(argv, sentence, tmp_path):
    assert f"`error: {sentence}" in PAGES["first_steps.md"]
    if len(argv) > 1 or argv == ["wgan_gp_mnist"]:
        argv = [*argv, "--data-dir", str(tmp_path), "--out", str(tmp_path / "run")]
    with pytest.raises(UserError, match=re.escape(sentence)):
        train.main(argv)
    assert not (tmp_path / "run").exists()


def test_the_citation_has_what_its_format_requires_and_the_version_of_the_package():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= cited.keys()
    assert cited["authors"] == [{"name": "The jaxgen authors"}]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert (cited["version"], cited["license"]) == (project["version"], project["license"])


def test_the_measured_pages_have_numbers_and_their_commands():
    measured = "".join(page for name, page in PAGES.items() if name.startswith("results/"))
    assert len(re.findall(r"\d+\.\d+ %", measured)) >= 2
    assert "experiments.evaluate" in measured
    assert "experiments.benchmark" in PAGES["speed.md"]
