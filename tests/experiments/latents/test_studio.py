"""Painting on images of a run: what is done without a page, and the page in a browser where there is one."""

import base64
import contextlib
import io
import os
import pathlib
import shutil
import socket
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from experiments import studio
from experiments.command_line.errors import UserError
from experiments.latents import painting, trained
from experiments.latents.editor import Search
from tests.experiments import small_runs

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ROOT = pathlib.Path(__file__).parents[3]
SEARCH = Search(starts=8, keep=4, closeness=0.01)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return small_runs.save(small_runs.GAN, tmp_path_factory.mktemp("runs") / "gan")


@pytest.fixture(scope="module")
def opened(folder):
    return painting.opened(trained.load(folder), SEARCH, 2, None)


@pytest.fixture
def session(opened):
    return painting.begin(opened, "sample:3")[0]


def stroke():
    mask = np.zeros((8, 8, 1), np.float32)
    mask[2:5, 2:5] = 1
    return mask


def distance(pixels, mask, color=255):
    """Of the pixels under a stroke from its colour."""
    return np.abs(pixels.astype(float) - color)[mask > 0].mean()


def test_a_session_begins_with_its_image_and_nothing_painted(opened, session):
    (wanted,) = opened.run.decode(opened.run.draw(np.array([3]), 0))
    np.testing.assert_array_equal(session.made(), wanted)
    np.testing.assert_array_equal(session.photograph, wanted)
    np.testing.assert_array_equal(session.changed(), wanted)
    with pytest.raises(UserError, match="paint on the image first"):
        session.search()
    with pytest.raises(UserError, match="there are no candidates"):
        session.choose(0)


def test_candidates_obey_a_stroke_and_the_chosen_one_is_gone_on_from(session):
    before = session.made()
    session.paint(stroke(), (255,))
    found = session.search()
    assert len(found.pixels) == 4 and distance(found.pixels[0], stroke()) < distance(before, stroke())
    session.choose(1)
    np.testing.assert_array_equal(session.made(), found.pixels[1])
    assert session.found is None and session.wishes == painting.NOTHING
    np.testing.assert_array_equal(session.photograph, before)
    assert (
        np.abs(session.changed().astype(int) - found.pixels[1]).mean()
        < np.abs(before.astype(int) - found.pixels[1]).mean()
    )


def test_strokes_lines_and_moves_lie_on_one_another(session):
    session.paint(stroke(), (10,))
    session.paint(stroke()[::-1], None)
    session.take_along(np.array([[1, 1], [6, 6]]), 3)
    colors, edges = session.wishes
    assert colors.mask.sum() == 9 + 9 and edges.mask.sum() == 9 + 9
    np.testing.assert_array_equal(colors.pixels[5:8, 5:8], session.made()[0:3, 0:3])
    assert (colors.pixels[2:5, 2:5] == 10).all()


def test_sliders_turn_along_directions_that_are_a_deviation_long(opened, session):
    session.strengths = np.array([2.0, -1.0], np.float32)
    wanted = session.origin.latent + 2 * opened.sliders.axes[0] - opened.sliders.axes[1]
    np.testing.assert_allclose(session.here.latent, wanted, rtol=1e-6)
    np.testing.assert_array_equal(session.made(), opened.run.decode(wanted[None])[0])
    lengths = np.linalg.norm(opened.sliders.axes, axis=1)
    np.testing.assert_allclose(lengths, 1.0, atol=0.1)  # of N(0, 1)
    painting.draw_anew(session, 7)
    assert (session.strengths == 0).all()
    np.testing.assert_array_equal(session.photograph, opened.run.decode(opened.run.draw(np.array([7]), 0))[0])


def test_a_style_based_run_has_sliders_over_coordinates(tmp_path):
    run = trained.load(small_runs.save(small_runs.STYLED, tmp_path / "run"))
    found = painting.opened(run, SEARCH, 9, None).sliders
    np.testing.assert_array_equal(found.axes, np.eye(3))
    assert found.names == ("z0", "z1", "z2")


def test_one_image_is_painted_on(opened):
    with pytest.raises(UserError, match="sample:1,2 names 2 images; name one to paint on"):
        painting.begin(opened, "sample:1,2")


@pytest.mark.parametrize("argv", [[], ["--help"]])
def test_the_usage_is_told(argv, capsys):
    with contextlib.suppress(SystemExit):
        assert studio.main(argv) == 0
    assert "python -m experiments.studio RUN" in capsys.readouterr().out


def test_a_port_in_use_is_named(folder):
    pytest.importorskip("nicegui")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=rf"cannot listen on 127.0.0.1:{port}: .*; choose another --port"):
            studio.main([str(folder), "--port", str(port), "--sliders", "0"])


def test_without_nicegui_it_says_what_to_install(folder, monkeypatch):
    monkeypatch.setattr(studio.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"the page needs nicegui: pip install -e '.\[studio\]'"):
        studio.main([str(folder)])


@contextlib.contextmanager
def served(folder, log):
    """The address of the studio in a process of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--port", port, "--sliders", 2, "--starts", 8, "--keep", 4, "--closeness", 0.01, "--image", "sample:3"]
    command = [sys.executable, "-m", "experiments.studio", folder, *options]
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}  # NiceGUI asks
    with log.open("wb") as file:
        process = subprocess.Popen([str(word) for word in command], cwd=ROOT, env=environment, stdout=file, stderr=file)
    try:
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.terminate()
        process.wait(timeout=30)


def shown(image):
    """Pixels of an image on the page, (8, 8)."""
    content = base64.b64decode(image.get_attribute("src").partition(",")[2])
    with Image.open(io.BytesIO(content)) as picture:
        grey = np.asarray(picture.convert("L"))
    return grey[:: len(grey) // 8, :: len(grey) // 8]


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the path to open the page in")
def test_in_a_browser_the_pixels_under_a_stroke_move_towards_its_colour(folder, tmp_path):
    pytest.importorskip("nicegui")
    sync_api = pytest.importorskip("playwright.sync_api")
    log = tmp_path / "log"
    with served(folder, log) as (address, process), sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1200, "height": 1000})
        requested = []
        page.on("request", lambda request: requested.append(request.url))
        _open(page, address, process, log)
        canvas = page.locator(".canvas img")
        before, box, source = shown(canvas), canvas.bounding_box(), canvas.get_attribute("src")
        places = [(box["x"] + column * box["width"] / 8, box["y"] + 3.5 * box["height"] / 8) for column in (2.5, 5.5)]
        page.mouse.move(*places[0])
        page.mouse.down()
        page.mouse.move(*places[1], steps=8)
        page.mouse.up()
        sync_api.expect(canvas).not_to_have_attribute("src", source, timeout=120_000)
        painted = shown(canvas)
        assert (painted[3, 2:6] == 255).all()
        np.testing.assert_array_equal(np.delete(painted, 3, axis=0), np.delete(before, 3, axis=0))
        page.get_by_role("button", name="search").click()
        candidate = page.locator(".candidate").first
        sync_api.expect(candidate).to_be_visible(timeout=120_000)
        assert page.locator(".candidate img").count() == 4
        candidate.click()
        sync_api.expect(page.locator(".candidate")).to_have_count(0, timeout=120_000)
        after = shown(canvas)
        mask = np.zeros((8, 8), bool)
        mask[3, 2:6] = True
        assert distance(after, mask) < distance(before, mask) - 5
        assert all(url.startswith((address, "data:")) for url in requested)  # nothing comes from elsewhere
        browser.close()


def _open(page, address, process, log):
    """The page, once it is there."""
    for _ in range(240):
        assert process.poll() is None, log.read_text()
        with contextlib.suppress(OSError), socket.create_connection(address[7:].split(":"), timeout=1):
            break
        page.wait_for_timeout(500)
    page.goto(address)
    page.locator(".canvas img[src^=data]").wait_for(timeout=120_000)
