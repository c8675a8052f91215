"""What pages of the documentation show, to be run as it stands there."""

import re


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of one language."""
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


def changed(source: str, diff: str) -> str:
    """The source with each line of the diff marked - replaced by the next one, marked +."""
    lines = diff.splitlines()
    for old, new in zip(lines[::2], lines[1::2], strict=True):
        assert old[0] == "-", old
        assert new[0] == "+", new
        assert source.count(old[1:]) == 1
        source = source.replace(old[1:], new[1:])
    return source
