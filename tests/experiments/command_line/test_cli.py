"""What every command does with its output."""

import subprocess
import sys

import pytest

from experiments.command_line import cli


def test_a_reader_of_the_list_that_is_gone_is_no_error():
    command = f"{sys.executable} -m experiments.train | head -n 1"
    found = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, timeout=60)
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.startswith("usage:")


@pytest.mark.parametrize("late", [False, True])
def test_output_after_the_reader_is_gone_ends_the_command_in_silence(late, tmp_path):
    printing = "print('x' * 100_000)" if not late else "print('x')"
    (tmp_path / "writes.py").write_text(
        f"import time\nfrom experiments.command_line import cli\ndef main(argv):\n"
        f"    time.sleep(0.3)\n    {printing}\ncli.run(main)\n"
    )
    command = f"{sys.executable} {tmp_path / 'writes.py'} | true"
    found = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, timeout=60)
    assert (found.returncode, found.stderr) == (0, "")


def test_a_broken_pipe_of_something_else_is_told(monkeypatch):
    def main(argv):
        raise BrokenPipeError("a socket")

    monkeypatch.setattr(sys, "argv", ["command"])
    with pytest.raises(BrokenPipeError, match="a socket"):
        cli.run(main)
