"""The page on several runs, read without a browser and, where there is one, opened in it."""

import base64
import io
import json
import math
import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from experiments import report
from experiments.command_line.errors import UserError
from experiments.pictures import curves, figures
from experiments.reports import reading
from tests.experiments import small_runs
from tests.experiments.judged import evaluated

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

VOID = {"meta", "img"}


class Page(HTMLParser):
    """Tags with their attributes, all text, and whether every tag is closed in order."""

    def __init__(self, content):
        super().__init__()
        self.tags, self.open, self.text = [], [], []
        self.feed(content)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def of(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two runs with pictures and metrics, one evaluated; the other has a name that HTML would take for a tag."""
    folder = tmp_path_factory.mktemp("report")
    for place, name in enumerate(("first", "<b>second")):
        run = small_runs.save(small_runs.GAN, folder / name, batch_size=8 + 8 * place)
        lines = [{"step": step, "loss": 1 / step, "steps_per_s": 3.0} for step in range(1, 30 + place)]
        lines.append({"step": 40, "loss": math.nan, "eval/recall": 0.5})
        (run / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"step": 41, "lo')
        for step in range(10 + place):
            figures.save_png(run / "samples" / f"step_{step:06d}.png", np.full((4, 4, 3), 20 * step, np.uint8))
    options = ("--num-samples", "20", "--num-halves", "0", "--extractor", "pixels", "--metrics", "nearest", "modes")
    evaluated(folder / "first", folder / "cache", *options)
    return folder


@pytest.fixture(scope="module")
def path(folder):
    out = folder / "pages" / "report.html"
    argv = [str(folder / "first"), str(folder / "<b>second"), "--out", str(out), "--pictures", "4"]
    assert report.main(argv) == 0
    return out


@pytest.fixture(scope="module")
def page(path):
    found = Page(path.read_text(encoding="utf-8"))
    assert not found.open
    return found


def test_the_page_needs_nothing_from_elsewhere(page, path):
    assert not page.of("script") + page.of("link") + page.of("iframe")
    for _, attributes in page.tags:
        for name in ("src", "href", "style"):
            assert "//" not in (attributes.get(name) or "").removeprefix("data:image/png;base64,")[:12]
    assert "@import" not in path.read_text() and "url(" not in path.read_text()


def inks(png, colours):
    """How many pixels have about each of the colours."""
    with Image.open(io.BytesIO(png)) as picture:
        drawn = np.asarray(picture.convert("RGB")).astype(int)
    wanted = [list(bytes.fromhex(colour[1:])) for colour in colours]
    return [int((np.abs(drawn - colour).max(axis=2) < 30).sum()) for colour in wanted]


def test_every_metric_has_a_picture_with_a_line_for_each_run(page):
    """The lines of two runs lie upon each other, but for the last steps of the second; in the legend both have one."""
    pictures = [attributes for attributes in page.of("img") if not attributes["alt"].startswith("samples")]
    assert [attributes["alt"] for attributes in pictures] == ["loss", "steps_per_s", "eval/recall"]
    for attributes in pictures:
        png = base64.b64decode(attributes["src"].removeprefix("data:image/png;base64,"))
        assert all(count > 20 for count in inks(png, curves.diagrams.COLOURS[:2])), attributes["alt"]


def test_samples_are_shown_from_the_first_step_to_the_newest(page):
    samples = [attributes for attributes in page.of("img") if attributes["alt"].startswith("samples")]
    shown = [attributes["alt"] for attributes in samples]
    assert shown[:4] == [f"samples, step {step}" for step in (0, 3, 6, 9)]
    assert len(shown) == 8
    content = base64.b64decode(samples[1]["src"].partition(",")[2])
    with Image.open(io.BytesIO(content)) as picture:
        assert picture.size == (4, 4) and picture.getpixel((0, 0)) == 60


def test_evaluations_settings_and_what_is_missing_are_told(page, folder):
    text = " ".join(page.text)
    stored = json.loads((folder / "first" / "evaluation.json").read_text())
    nearest = next(row for row in stored["rows"] if row["metric"] == "nearest")
    assert f"{nearest['samples']['value']:.4g}" in text
    assert "needs points around known modes" in text
    assert "has not been evaluated:" in text and "python -m experiments.evaluate" in text
    assert re.search(r"batch_size\s+8\s+16", text)
    assert "<b>second" in text and not page.of("b")


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the path to open the page in")
def test_a_browser_shows_the_page(path, tmp_path, page):
    offline = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run")
    options = ["--headless", "--no-sandbox", "--disable-gpu", *offline, f"--user-data-dir={tmp_path / 'profile'}"]
    shot = tmp_path / "page.png"
    subprocess.run(
        [CHROMIUM, *options, "--window-size=1000,1600", f"--screenshot={shot}", path.as_uri()],
        check=True,
        timeout=120,
        capture_output=True,
    )
    with Image.open(shot) as picture:
        assert picture.size == (1000, 1600)
        colours = {colour for _, colour in picture.convert("RGB").getcolors(2**24)}
    for wanted in ("#1f77b4", "#ff7f0e"):  # keys of both runs
        assert tuple(bytes.fromhex(wanted[1:])) in colours
    done = subprocess.run(
        [CHROMIUM, *options, "--dump-dom", path.as_uri()], check=True, timeout=120, capture_output=True, text=True
    )
    seen = Page(done.stdout)
    assert [tag for tag, _ in seen.tags] == [tag for tag, _ in page.tags]


def test_a_run_that_has_nothing_yet_has_a_page(tmp_path):
    small_runs.save(small_runs.GAN, tmp_path / "run")
    assert report.main([str(tmp_path / "run"), "--out", str(tmp_path / "page.html")]) == 0
    text = " ".join(Page((tmp_path / "page.html").read_text()).text)
    assert "No run has logged a metric yet." in text
    assert "This run has drawn no picture yet." in text


def test_runs_that_differ_in_their_seed_alone_have_a_table_together(tmp_path):
    """Of the mean, the lowest and the highest value; another batch size stays out of it."""
    found = []
    for name, value, changed in (("a", 1.0, {}), ("b", 2.0, {"seed": 1}), ("c", 9.0, {"batch_size": 16})):
        run = small_runs.save(small_runs.GAN, tmp_path / name)
        config = json.loads((run / "config.json").read_text())
        config["settings"] |= changed
        (run / "config.json").write_text(json.dumps(config))
        cells = {"samples": {"value": value, "num": 5}, "num_reference": 5}
        rows = [{"metric": "nearest", "name": "nearest", "extractor": "pixels", **cells}]
        about = {"kind": "images", "step": 2, "seed": 0, "num_samples": 5, "data": "digits", "extractors": []}
        (run / "evaluation.json").write_text(json.dumps(about | {"rows": rows}))
        found.append(str(run))
    assert report.main([*found, "--out", str(tmp_path / "r.html")]) == 0
    text = " ".join(Page((tmp_path / "r.html").read_text(encoding="utf-8")).text)
    assert text.count("over the seeds") == 1 and "over the seeds 0, 1" in text
    assert "1.5 [1, 2]" in text


def test_runs_of_one_name_are_told_apart(folder, tmp_path):
    shutil.copytree(folder / "first", tmp_path / "first")
    labels = [run.label for run in reading.read([folder / "first", tmp_path / "first"])]
    assert labels == [str(folder / "first"), str(tmp_path / "first")]


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["--out", "page.html"], "the folders of runs come first"),
        ([""], "the folders of runs come first"),
        (["nowhere"], "nowhere is not the folder of a run"),
        (["RUN", "--out", "page.pdf"], "--out is page.pdf, but must end in .html"),
        (["RUN", "--out", "/dev/null/page.html"], "cannot write /dev/null/page.html"),
        (["OLD"], "was not written by this version; run python -m experiments.evaluate"),
    ],
)
def test_bad_input_gets_a_sentence(argv, sentence, folder, tmp_path):
    if argv == ["OLD"]:
        small_runs.save(small_runs.GAN, tmp_path / "old")
        (tmp_path / "old" / "evaluation.json").write_text('{"classifier_accuracy": 0.98}')
    places = {"RUN": str(folder / "first"), "OLD": str(tmp_path / "old")}
    with pytest.raises(UserError) as error:
        report.main([places.get(part, part) for part in argv])
    assert sentence in str(error.value)


def test_a_long_line_is_drawn_to_its_ends_and_costs_no_more_than_a_short_one():
    """A line of 50,000 noisy points; one that rises reaches from the left edge to the right, upwards."""
    noise = np.random.default_rng(0).normal(size=50_000)
    long, short = (
        curves.png("m", [curves.Curve("run", "#1f77b4", [(float(step), float(noise[step])) for step in range(num)])])
        for num in (50_000, 400)
    )
    assert len(long) < 2 * len(short) < 100_000  # noise alone is what packs worst
    rising = curves.png("m", [curves.Curve("run", "#ff0000", [(float(step), float(step)) for step in range(5_000)])])
    with Image.open(io.BytesIO(rising)) as picture:
        drawn = np.asarray(picture.convert("RGB")).astype(int)
    rows, columns = np.nonzero((drawn[..., 0] > 200) & (drawn[..., 1:].max(axis=2) < 90))
    assert np.ptp(columns) > 0.75 * curves.WIDTH and np.ptp(rows) > 0.7 * curves.HEIGHT
    assert rows[columns.argmin()] > rows[columns.argmax()] + 200


def test_a_single_value_is_a_dot_and_none_at_all_is_refused():
    assert inks(curves.png("m", [curves.Curve("run", "#ff0000", [(3.0, 0.5)])]), ["#ff0000"])[0] > 20
    with pytest.raises(ValueError, match="m has no point to draw"):
        curves.png("m", [curves.Curve("run", "#ff0000", [])])


@pytest.mark.parametrize("name", ["_hidden", "$x$", "数", "<b>", "$a_{b", "a name that is far too long for a legend"])
def test_every_run_is_named_whatever_its_name(name):
    """The one dot of the second run stands in the plane and in the legend, but only in the plane without a name."""
    lines = [curves.Curve("first", "#ff0000", [(0.0, 0.0), (4.0, 1.0)]), curves.Curve(name, "#0000ff", [(3.0, 0.2)])]
    (named,) = inks(curves.png("m", lines), ["#0000ff"])
    (alone,) = inks(curves.png("m", lines[1:]), ["#0000ff"])
    assert named > 1.5 * alone > 20
