"""An extension of griffe, which reads the docstrings for the site.

Doctests are code, wherever they stand in a docstring. A model's page has its equations, so that the module's docstring,
which has them as text, is left out there.
"""

import griffe


class Docstrings(griffe.Extension):
    """Puts fences around doctests, and leaves out the docstrings of models' modules."""

    def on_object(self, *, obj: griffe.Object, **_) -> None:
        """Change the docstring of one module, class, function or attribute."""
        if obj.is_module and "Config" in obj.members:
            obj.docstring = None
        if obj.docstring and ">>>" in obj.docstring.value:
            obj.docstring.value = fenced(obj.docstring.value)


def fenced(docstring: str) -> str:
    """The docstring with its doctests in fences."""
    lines, inside = [], False
    for line in [*docstring.splitlines(), ""]:
        if not inside and line.startswith(">>>"):
            lines, inside = [*lines, "", "```pycon"], True
        elif inside and not line.strip():
            lines, inside = [*lines, "```"], False
        lines.append(line)
    return "\n".join(lines)
