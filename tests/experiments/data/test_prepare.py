"""Without a network: a server of this machine and addresses that lead nowhere."""

import hashlib
import http.server
import pathlib
import threading
import time

import numpy as np
import pytest

from experiments import data, prepare
from experiments.command_line.errors import UserError
from experiments.data import downloads, known, preparation, quickdraw
from tests.experiments.pictures_on_disk import npy

PREPARED = pathlib.Path(__file__).parents[4] / "shared" / "data" / "tfds"
DRAWINGS = npy(np.random.default_rng(0).integers(0, 256, (20, 784), np.uint8))


class Server(http.server.BaseHTTPRequestHandler):
    content = DRAWINGS

    def do_HEAD(self):
        self.send_response(200 if "sheep" in self.path or "cat" in self.path else 404)
        self.end_headers()

    def do_GET(self):
        self.do_HEAD()
        self.wfile.write(DRAWINGS if "sheep" in self.path else DRAWINGS[:-50])

    def log_message(self, *_):
        pass


@pytest.fixture
def url(monkeypatch):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    checksum = hashlib.sha256(DRAWINGS).hexdigest()
    monkeypatch.setattr(quickdraw, "URL", url)
    infos = {f"{url}/{name}.npy": (len(DRAWINGS), checksum) for name in ("sheep", "cat", "the sheep")}
    monkeypatch.setattr(quickdraw, "url_infos", lambda: infos)
    yield url
    server.shutdown()
    thread.join()
    server.server_close()


def nowhere(monkeypatch):
    """No request leaves this machine."""
    monkeypatch.setattr(downloads, "unreachable", lambda url: "Name or service not known")


def test_a_category_is_fetched_checked_and_can_be_trained_on(url, tmp_path, capsys):
    assert prepare.main(["quickdraw:sheep", "--data-dir", str(tmp_path)]) == 0
    path = tmp_path / "full_numpy_bitmap_sheep.npy"
    assert f"quickdraw:sheep is prepared, in {path}" in capsys.readouterr().out
    assert path.read_bytes() == DRAWINGS
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert len(data.load("quickdraw:sheep", "all", tmp_path)) == 20
    assert prepare.main(["quickdraw:sheep", "--data-dir", str(tmp_path)]) == 0
    assert "is prepared already" in capsys.readouterr().out


def test_a_name_with_spaces_is_quoted(url, tmp_path):
    preparation.prepare("quickdraw:the sheep", tmp_path)
    assert (tmp_path / "full_numpy_bitmap_the sheep.npy").read_bytes() == DRAWINGS


def test_a_file_that_comes_short_is_thrown_away(url, tmp_path):
    with pytest.raises(UserError, match=r"cat\.npy came with [\d,]+ bytes in place of [\d,]+; try again"):
        preparation.prepare("quickdraw:cat", tmp_path)
    assert not list(tmp_path.iterdir())


def test_what_a_kill_has_left_is_written_over(url, tmp_path):
    """A name of its own for each attempt would leave a file of each that was killed."""
    (tmp_path / ".a.npy.unfinished").write_bytes(b"half")
    downloads.fetch(f"{url}/sheep.npy", tmp_path / "a.npy", len(DRAWINGS))
    assert [file.name for file in tmp_path.iterdir()] == ["a.npy"]
    assert (tmp_path / "a.npy").read_bytes() == DRAWINGS


def test_a_file_with_another_checksum_is_thrown_away(url, tmp_path):
    path = tmp_path / "a.npy"
    with pytest.raises(UserError, match=r"came with the checksum .* in place of 000000000000"):
        downloads.fetch(f"{url}/sheep.npy", path, len(DRAWINGS), "0" * 64)
    assert not list(tmp_path.iterdir())


def test_a_disk_that_is_full_gets_one_sentence(url, tmp_path, monkeypatch):
    with pytest.raises(UserError, match=r"cannot be fetched to .* \(1,000,000,000 MB do not fit into the .* MB free\)"):
        downloads.fetch(f"{url}/sheep.npy", tmp_path / "a.npy", 10**15)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_gets_one_sentence(url, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be fetched to"):
        downloads.fetch(f"{url}/sheep.npy", tmp_path / "file" / "a.npy")


def test_whether_a_host_answers(url):
    assert downloads.unreachable(f"{url}/sheep.npy") is None
    assert downloads.unreachable(f"{url}/nothing") == "404 Not Found"


def test_a_host_that_does_not_answer_is_given_up_within_seconds():
    began = time.monotonic()
    assert "refused" in downloads.unreachable("http://127.0.0.1:9/x")  # the discard port
    assert downloads.unreachable("http://name.invalid/x", timeout=2.0)
    assert time.monotonic() - began < 5


def test_without_a_network_a_category_says_what_to_put_where(tmp_path, monkeypatch):
    nowhere(monkeypatch)
    wanted = (
        r"no network \(Name or service not known\): fetch https://storage\.googleapis\.com/quickdraw_dataset/full/"
        rf"numpy_bitmap/sheep\.npy \(99 MB\) elsewhere and put it to {tmp_path}/full_numpy_bitmap_sheep\.npy$"
    )
    with pytest.raises(UserError, match=wanted):
        preparation.prepare("quickdraw:sheep", tmp_path)


@pytest.mark.parametrize(
    ("name", "source", "place"),
    [
        ("mnist", "https://storage.googleapis.com/cvdf-datasets/mnist/", "mnist/3.0.1"),
        ("cifar100:forest", "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz", "cifar100/3.0.2"),
        ("cycle_gan/horse2zebra", "horse2zebra.zip", "cycle_gan/horse2zebra/"),
    ],
)
def test_without_a_network_a_set_says_whence_it_comes_and_where_to_copy_it(name, source, place, tmp_path, monkeypatch):
    nowhere(monkeypatch)
    with pytest.raises(UserError) as error:
        preparation.prepare(name, tmp_path)
    assert "no network" in str(error.value) and source in str(error.value) and place in str(error.value)
    assert str(tmp_path) in str(error.value)


def test_without_tensorflow_a_sentence_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "unreachable", lambda url: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"preparing mnist needs TensorFlow once: pip install -e '\.\[prepare\]'"):
        preparation.prepare("mnist", tmp_path)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("minst", r"tensorflow-datasets knows no 'minst'; did you mean mnist"),
        ("lsun/bedrom", r"tensorflow-datasets has no 'lsun/bedrom'; did you mean lsun/bedroom"),
        ("emnist", r"tensorflow-datasets has no 'emnist'; did you mean emnist/"),
        ("mnist/x", r"tensorflow-datasets has no 'mnist/x'; did you mean mnist"),
        ("../x", r"tensorflow-datasets knows no '\.\./x'"),
        ("quickdraw:shep", r"Quick, Draw! has no category 'shep'; did you mean sheep"),
        ("quickdraw:", r"names no category"),
    ],
)
def test_an_unknown_name_gets_the_nearest(name, says, tmp_path, monkeypatch):
    nowhere(monkeypatch)
    with pytest.raises(UserError, match=says):
        preparation.prepare(name, tmp_path)


@pytest.mark.parametrize(
    "name",
    ["digits", "ring8", "folder:/mine", "npz:a.npz", "shapes_captions", "sprites", "prompts:digits", "edges:digits"],
)
def test_what_needs_no_preparing_says_so(name, tmp_path):
    assert "needs no preparing" in preparation.prepare(name, tmp_path)


def test_the_list_names_sizes_and_licences(capsys):
    assert prepare.main(["--list"]) == 0
    printed = capsys.readouterr().out
    assert all(one.name in printed and one.licence in printed for one in known.KNOWN)
    assert prepare.main([]) == 0
    assert "usage" in capsys.readouterr().out


def test_the_name_comes_first():
    with pytest.raises(UserError, match="the name of a set comes first, before --data-dir"):
        prepare.main(["--data-dir", "x"])


@pytest.mark.skipif(not PREPARED.exists(), reason="no prepared data sets lie beside the project")
def test_a_set_that_is_there_says_so_at_once(capsys):
    assert prepare.main(["mnist", "--data-dir", str(PREPARED)]) == 0
    assert f"mnist is prepared already, in {PREPARED}/mnist/3.0.1" in capsys.readouterr().out
