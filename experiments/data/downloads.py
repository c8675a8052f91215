"""Files from the network: whether it is there at all, and one file whole or not at all.

Pooch checks as much after a download, but leaves a file of a new name behind at each kill, and asks neither for the
room on the disk nor for the size.
"""

import hashlib
import http.client
import pathlib
import shutil
import threading
import urllib.error
import urllib.request

from experiments.command_line.errors import UserError

TIMEOUT = 5.0
"""Seconds until a host counts as out of reach; nobody should wait for minutes to hear that there is no network."""

BLOCK = 2**20


def unreachable(url: str, timeout: float = TIMEOUT) -> str | None:
    """Why nothing can be fetched from that URL's host, None if it answers. Takes `timeout` seconds at most."""
    answers: list[str | None] = []

    def ask() -> None:
        try:
            with urllib.request.urlopen(_request(url, "HEAD"), timeout=timeout):
                answers.append(None)
        except urllib.error.HTTPError as error:
            answers.append(f"{error.code} {error.reason}" if error.code in (404, 410) else None)
        except (OSError, ValueError, http.client.HTTPException) as error:
            answers.append(str(getattr(error, "reason", error)) or type(error).__name__)

    thread = threading.Thread(target=ask, daemon=True)  # resolving a name knows no timeout
    thread.start()
    thread.join(timeout + 1.0)
    return answers[0] if answers else f"no answer within {timeout:g} seconds"


def fetch(url: str, path: pathlib.Path, size: int | None = None, sha256: str | None = None) -> None:
    """Download to `path`, with progress: a file beside it is checked and renamed into place.

    UserError if the network fails, the disk is full, or size or checksum are not as given; then nothing is left.
    """
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _require_space(path.parent, size)
        wrong = _difference(*_copy(url, unfinished, size), size, sha256)
        if wrong:
            raise UserError(f"{url} came {wrong}; try again")
        unfinished.replace(path)
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
        raise UserError(f"{url} cannot be fetched to {path} ({reason}); try again, or put the file there") from error
    finally:
        if unfinished.is_file():
            unfinished.unlink()


def _copy(url: str, path: pathlib.Path, size: int | None) -> tuple[int, str]:
    from tqdm import tqdm

    digest, done = hashlib.sha256(), 0
    with (
        urllib.request.urlopen(_request(url, "GET"), timeout=TIMEOUT * 6) as answer,
        path.open("wb") as file,
        tqdm(total=size, unit="B", unit_scale=True, desc=path.name.strip(".").removesuffix(".unfinished")) as bar,
    ):
        while block := answer.read(BLOCK):
            file.write(block)
            digest.update(block)
            done += len(block)
            bar.update(len(block))
    return done, digest.hexdigest()


def _request(url: str, method: str) -> urllib.request.Request:
    return urllib.request.Request(url, method=method, headers={"User-Agent": "jaxgen"})


def _difference(found_size: int, found_sha256: str, size: int | None, sha256: str | None) -> str | None:
    if size is not None and found_size != size:
        return f"with {found_size:,} bytes in place of {size:,}"
    if sha256 is not None and found_sha256 != sha256:
        return f"with the checksum {found_sha256[:12]}... in place of {sha256[:12]}..."
    return None


def _require_space(folder: pathlib.Path, size: int | None) -> None:
    free = shutil.disk_usage(folder).free
    if size is not None and free < size:
        raise OSError(f"{size / 1e6:,.0f} MB do not fit into the {free / 1e6:,.0f} MB free")
