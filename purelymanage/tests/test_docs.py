"""The docs tell what is there: settings, tests, and the labels of pages."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| `([A-Z_]+)` \| [^|]+ \| [^|]{20,} \|$", re.MULTILINE)


def names_in_settings() -> list[str]:
    """The first argument of every `env.…("NAME", …)`."""
    tree = ast.parse((ROOT / "purelymanage/settings.py").read_text())
    return [
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "env"
        and isinstance(node.args[0], ast.Constant)
    ]


def names_in_docs() -> list[str]:
    return ROW.findall((ROOT / "docs/settings.md").read_text())


def test_every_setting_has_its_line_in_the_docs_and_every_line_its_setting():
    assert len(names_in_settings()) > 20
    assert sorted(names_in_docs()) == sorted(set(names_in_settings()))


def test_only_settings_read_the_environment():
    """Handing all of it on to a child process is another matter."""
    reading = re.compile(r"os\.getenv|os\.environ\.get\(|environ\.Env\(\)")
    found = [
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*.py")
        if not {".venv", "tests", "build", "bench"} & set(path.relative_to(ROOT).parts)
        and reading.search(path.read_text())
    ]
    assert set(found) <= {"purelymanage/settings_test.py"}


def test_every_promise_of_the_security_page_names_tests_that_are_there():
    """As `file::test`, in backquotes."""
    promises = (ROOT / "docs/security.md").read_text()
    named = re.findall(r"`([\w/]+\.py)::(\w+)`", promises)
    assert len(named) > 30
    gone = [f"{path}::{name}" for path, name in named if not _has_test(ROOT / path, name)]
    assert not gone, f"docs/security.md promises by tests that are not there: {', '.join(gone)}"


def test_every_promise_of_the_security_page_is_held_by_a_test():
    promises = (ROOT / "docs/security.md").read_text()
    table = promises.partition("| Promise | Held by |")[2].partition("\n\n")[0]
    rows = [row for row in table.splitlines() if row.startswith("| ") and "**" not in row]
    assert len(rows) > 20
    assert [row for row in rows if ".py::test_" not in row] == []


def test_guides_name_pages_and_buttons_as_they_are_labelled():
    """What a guide sets in *asterisks* stands in a template or a view."""
    labelled = re.findall(r"(?<!\*)\*([^*\n]+)\*(?!\*)", (ROOT / "docs/migrations.md").read_text())
    assert len(labelled) > 20
    sources = [*ROOT.glob("templates/**/*.html"), *ROOT.glob("*/forms/*.py")]
    sources += [*ROOT.glob("*/views/*.py"), *ROOT.glob("*/navigation.py")]
    words = "".join(path.read_text() for path in sources)
    assert [label for label in labelled if f'"{label}' not in words] == []


def _has_test(path: Path, name: str) -> bool:
    return path.exists() and f"\ndef {name}(" in path.read_text()
