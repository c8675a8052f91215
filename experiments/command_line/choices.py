"""Another kind of a setting by its name: `--sampler heun --sampler.steps 20`.

Where the type of a field is a union of dataclasses, the option of the field itself takes the name of one of them, in
small letters with hyphens: `ddim`, `dpm-solver`, `linear-betas`. A kind that is named begins with its own defaults; the
kind that is there already keeps its values. Options of its fields follow as usual, in any order.
"""

import dataclasses
import difflib
import functools
import re
import textwrap
import types
import typing
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from experiments.command_line.errors import UserError


class Choice(NamedTuple):
    """A setting that can be of several kinds."""

    path: tuple[str, ...]  # names of fields, from the outermost
    kinds: dict[str, type]  # by name
    now: Any  # its value

    @property
    def option(self) -> str:
        """`--model.prior`."""
        return f"--{'.'.join(self.path).replace('_', '-')}"


def chosen(settings: Any, argv: Sequence[str]) -> tuple[Any, list[str]]:
    """The settings with the kinds that `argv` names, and the options that are left.

    A field without a default of a kind that is named is `tyro.MISSING`, to be given by an option of its own. The
    settings are not checked: those that belong together may still be to come. UserError for a name that is none.
    """
    rest = list(argv)
    while True:
        there = {choice.option: choice for choice in choices(settings)}
        named = [(there[_option(word)], place) for place, word in enumerate(rest) if _option(word) in there]
        if not named:
            _require_settings_of(there, rest)
            return settings, rest
        choice, place = min(named, key=lambda one: len(one[0].path))  # what lies further inside may be another then
        kind = _kind(choice, rest, place)
        if not isinstance(choice.now, kind):
            settings = _replaced(settings, choice.path, _with_defaults(kind))
        del rest[place : place + (1 if "=" in rest[place] else 2)]


def choices(settings: Any, path: tuple[str, ...] = ()) -> Iterator[Choice]:
    """Every setting of a tree of dataclasses that can be of several kinds, outer ones first."""
    for field in dataclasses.fields(settings):
        value, here = getattr(settings, field.name, None), (*path, field.name)
        if not dataclasses.is_dataclass(value) or field.name in ("parent", "name"):
            continue
        kinds: list[Any] = [
            one for one in typing.get_args(_hints(type(settings))[field.name]) if dataclasses.is_dataclass(one)
        ]
        if len(kinds) > 1:
            yield Choice(here, {name_of(kind): kind for kind in kinds}, value)
        yield from choices(value, here)


def name_of(kind: type) -> str:
    """`dpm-solver` for DPMSolver.

    >>> class LogSNR: ...
    >>> name_of(LogSNR)
    'log-snr'
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z]{2})(?=[A-Z][a-z])", "-", kind.__name__).lower()


def help_lines(settings: Any) -> list[str]:
    """What `--help` says of the kinds; nothing for settings that are of one kind each."""
    found = list(choices(settings))
    if not found:
        return []
    lines = ["another kind of a setting, by its name; options of its own may follow:"]
    for choice in found:
        words = f"{choice.option} {{{', '.join(sorted(choice.kinds))}}} (default: {name_of(type(choice.now))})"
        lines += textwrap.wrap(words, 100, initial_indent="  ", subsequent_indent=" " * 8, break_on_hyphens=False)
    return lines


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    found = typing.get_type_hints(kind)
    unions = (typing.Union, types.UnionType)
    return {name: hint if typing.get_origin(hint) in unions else None for name, hint in found.items()}


def _option(word: str) -> str:
    """The option of a word of the command line, without a value that is written behind it."""
    return word.partition("=")[0].replace("_", "-")


def _kind(choice: Choice, words: Sequence[str], place: int) -> type:
    """The kind that is named at a place of the command line."""
    after = words[place + 1] if place + 1 < len(words) else "--"
    name = words[place].partition("=")[2] if "=" in words[place] else after
    there = f"there are: {', '.join(sorted(choice.kinds))}"
    if name.startswith("--"):
        raise UserError(f"{choice.option} names no kind; {there}")
    plain = {_plain(one): kind for one, kind in choice.kinds.items()}
    if _plain(name) not in plain:
        near = difflib.get_close_matches(name, list(choice.kinds), n=1)
        raise UserError(f"{choice.option} is {name!r}, but {f'did you mean {near[0]}? ' if near else ''}{there}")
    return plain[_plain(name)]


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")


def _with_defaults(kind: type) -> Any:
    """An instance, unchecked; `tyro.MISSING` stands where there is no default."""
    import tyro

    instance = object.__new__(kind)
    for field in dataclasses.fields(kind):
        default = tyro.MISSING if field.default is dataclasses.MISSING else field.default
        object.__setattr__(instance, field.name, default)
    return instance


def _replaced(settings: Any, path: Sequence[str], value: Any) -> Any:
    """The settings with another value at a path, unchecked."""
    import flax.linen as nn

    name, *inner = path
    value = _replaced(getattr(settings, name), inner, value) if inner else value
    if isinstance(settings, nn.Module):
        return settings.clone(**{name: value})
    copy = object.__new__(type(settings))
    for field in dataclasses.fields(settings):
        object.__setattr__(copy, field.name, value if field.name == name else getattr(settings, field.name))
    return copy


def _require_settings_of(there: dict[str, Choice], words: Sequence[str]) -> None:
    """UserError for an option that another kind than the present one has."""
    for word in words:
        outer, _, inner = _option(word).rpartition(".")
        if outer not in there:
            continue
        choice, wanted = there[outer], {inner.replace("-", "_"), inner.removeprefix("no-").replace("-", "_")}
        having = [name for name, kind in choice.kinds.items() if wanted & _field_names(kind)]
        if having and not wanted & _field_names(type(choice.now)):
            ways = " or ".join(f"{outer} {name}" for name in sorted(having))
            raise UserError(f"{_option(word)} is no setting of {name_of(type(choice.now))}; give {ways} beside it")


def _field_names(kind: type) -> set[str]:
    return {field.name for field in dataclasses.fields(kind)}
