"""docs/settings.md and settings.py tell the same."""

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
