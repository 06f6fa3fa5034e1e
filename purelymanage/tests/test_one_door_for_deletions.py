"""Mailboxes, domains and rules are deleted by the queue and by nothing else."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from purelymanage.deletions import execution
from purelymanage.tests.audited import walk

pytestmark = pytest.mark.once
CALLS = {"delete_user", "delete_domain", "delete_routing_rule"}
OPERATIONS = {"deleteUser", "deleteDomain", "deleteRoutingRule"}
DOORS = {
    ("mailboxes.deletable", "delete_user"),
    ("domains.deletable", "delete_domain"),
    ("routing.deletable", "delete_routing_rule"),
    ("routing.services.exchange", "delete_routing_rule"),
}
"""What the queue calls, and the edit of a rule, which makes the new one before the old one goes."""
CLIENT = "purelymanage.purelymail."
EXECUTION = execution.__name__


def modules() -> Iterator[tuple[str, ast.AST]]:
    """Every module of ours but the client and the simulator, which stand behind the door."""
    for name, path in walk.sources():
        if not name.startswith(CLIENT):
            yield name, ast.parse(Path(path).read_text())


def words(node: ast.AST) -> Iterator[str]:
    """Every name and text in a piece of code, so that a `getattr` does not go unseen."""
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute):
            yield part.attr
        elif isinstance(part, ast.Name):
            yield part.id
        elif isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value


def test_purelymail_is_told_to_delete_in_four_places_only():
    found = {(name, word) for name, tree in modules() for word in words(tree) if word in CALLS}
    assert found == DOORS, (
        "A mailbox, domain or rule is deleted by `schedule_deletion` of purelymanage.deletions,"
        f" which waits for 24 hours. Not so: {sorted(found ^ DOORS)}"
    )


def test_no_operation_is_sent_past_the_client():
    found = {(name, word) for name, tree in modules() for word in words(tree) if word in OPERATIONS}
    assert not found


def deletes_at_once(tree: ast.AST) -> bool:
    """Whether code takes `delete` from a `deletable`: the module of an app, or the registry's."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "delete":
            owner = node.value.func if isinstance(node.value, ast.Call) else node.value
            if ast.unparse(owner).rpartition(".")[2] in ("deletable", "resource"):
                return True
        if isinstance(node, ast.ImportFrom) and (node.module or "").endswith(".deletable"):
            taken = {alias.name.strip("_") for alias in node.names}
            if "delete" in taken:
                return True
    return False


def test_only_the_execution_of_the_queue_deletes_what_is_registered():
    found = {name for name, tree in modules() if deletes_at_once(tree)}
    assert found <= {EXECUTION}, "Schedule the deletion instead: purelymanage.deletions.services."


@pytest.mark.parametrize(
    "code",
    [
        "deletable(kind).delete(key)",
        "registry.deletable(kind).delete(key)",
        "deletable.delete(address)",
        "from mailboxes.deletable import delete",
    ],
)
def test_a_way_past_the_queue_would_be_found(code):
    assert deletes_at_once(ast.parse(code))
