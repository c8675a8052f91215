"""What the site needs beyond MkDocs: formulas as MathML, links out of docs/, and navigation entries for folders.

A page is written for GitHub, whose own reader shows `$...$`, `$$...$$` and links to any file of the repository. Here
formulas become MathML, which browsers show without a script, and a file that a page links to is copied into the site.
"""

import pathlib
import posixpath
import re

from latex2mathml.converter import convert
from mkdocs.structure.files import File

ROOT = pathlib.Path(__file__).parent.parent
ROOT_PAGES = ("CHANGELOG.md", "CONTRIBUTING.md")
PARTS = re.compile(
    r"""
    (?P<code> ^(?P<fence>`{3,})[^\n]*\n .*? ^(?P=fence)`*\s*?$ | `[^`\n]+` )
    | \$\$ (?P<block>.+?) \$\$
    | (?<![\w$])\$ (?P<inline>[^$\n]+?) \$(?![\w$])
    | \]\( (?P<link>[^)\s]+) \)
    """,
    re.MULTILINE | re.DOTALL | re.VERBOSE,
)
formulas: dict[str, list[str]] = {}  # of each page, in the order of their marks


def on_config(config):
    """Give each entry of the navigation that names a folder the pages of that folder; leave it out if it has none."""
    config.nav = [entry for entry in map(_with_pages, config.nav) if entry]
    return config


def _with_pages(entry):
    if isinstance(entry, str):
        return entry
    ((title, value),) = entry.items()
    if isinstance(value, list) or not value.endswith("/"):
        return entry
    docs = ROOT / "docs"
    pages = sorted((docs / value).rglob("*.md"), key=lambda path: (path.name != "index.md", path))
    return {title: [page.relative_to(docs).as_posix() for page in pages]} if pages else None


def on_files(files, config):
    """Add the pages that stand at the top of the repository."""
    for name in ROOT_PAGES:
        files.append(File.generated(config, name, abs_src_path=str(ROOT / name)))
    return files


def on_page_markdown(markdown, page, config, files):
    """Put marks in place of formulas, and let links out of docs/ lead to copies; code stays as it is."""
    found = formulas[page.file.src_uri] = []

    def changed(part):
        if part["code"]:
            return part[0]
        if part["link"]:
            return f"]({_target(part['link'], page, config, files)})"
        found.append(convert((part["block"] or part["inline"]).strip(), display="block" if part["block"] else "inline"))
        return f"FORMULA{len(found) - 1}ALUMROF"

    return PARTS.sub(changed, markdown)


def _target(link, page, config, files):
    """Where a link of the repository leads in the site."""
    if re.match(r"\w+:|#", link):
        return link
    path, _, anchor = link.partition("#")
    here = page.file.src_uri if page.file.src_uri in ROOT_PAGES else f"docs/{page.file.src_uri}"
    target = posixpath.normpath(posixpath.join(posixpath.dirname(here), path))
    if target.startswith("docs/"):
        uri = target.removeprefix("docs/")
    elif target in ROOT_PAGES:
        uri = target
    elif target == "README.md":
        uri = "index.md"
    else:
        uri = _copied(target, config, files)
    return posixpath.relpath(uri, posixpath.dirname(page.file.src_uri) or ".") + (f"#{anchor}" if anchor else "")


def _copied(target, config, files):
    """A text file of the site with what the file holds; a link to a folder leads to its `__init__.py`."""
    if (ROOT / target).is_dir():
        target = f"{target}/__init__.py"
    uri = f"source/{target}.txt"
    if files.get_file_from_path(uri) is None:
        files.append(File.generated(config, uri, abs_src_path=str(ROOT / target)))
    return uri


def on_page_content(html, page, config, files):
    """Put the formulas where their marks are."""
    return re.sub(r"FORMULA(\d+)ALUMROF", lambda match: formulas[page.file.src_uri][int(match[1])], html)
