"""Finds all that can change something: addresses, tasks, chores and commands."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from functools import cache
from importlib import import_module
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.contrib.admin import site as admin_site
from django.core.management import get_commands
from django.urls import URLPattern, URLResolver, get_resolver

from purelymanage.jobs import registry
from purelymanage.jobs.schedules import SCHEDULES

UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}


def addresses(
    resolver: URLResolver | None = None, prefix: str = "", namespace: str = ""
) -> Iterator[tuple[str, str, URLPattern]]:
    """`(name, route, pattern)` of the whole site, Django's admin included."""
    for item in (resolver or get_resolver()).url_patterns:
        route = prefix + str(item.pattern)
        if isinstance(item, URLResolver):
            inner = ":".join(filter(None, [namespace, item.namespace]))
            yield from addresses(item, route, inner)
        else:
            yield ":".join(filter(None, [namespace, item.name])) or route, route, item


def methods(view: Callable[..., object]) -> set[str]:
    """What a view says it takes; all methods where it does not say."""
    if view_class := getattr(view, "view_class", None):
        return {name.upper() for name in view_class.http_method_names if hasattr(view_class, name)}
    while view is not None:
        outer = inspect.getclosurevars(view).nonlocals if inspect.isfunction(view) else {}
        if "request_method_list" in outer:  # Django's require_http_methods and its kin
            return set(outer["request_method_list"])
        view = getattr(view, "__wrapped__", None)
    return {"GET", "HEAD", *UNSAFE}


def kind_of(name: str) -> str:
    """The name, or for the pages that Django's admin has for each table `admin:*_add` and so on."""
    for model in admin_site._registry:
        start = f"admin:{model._meta.app_label}_{model._meta.model_name}_"
        if name.startswith(start):
            return f"admin:*_{name.removeprefix(start)}"
    return name


@cache
def changing_addresses() -> AbstractSet[str]:
    """Every address that takes more than GET."""
    return frozenset(
        kind_of(name) for name, _route, item in addresses() if methods(item.callback) & UNSAFE
    )


@cache
def tasks() -> AbstractSet[str]:
    """Everything in a `tasks.py`, all that happens by the clock, all that is ever enqueued."""
    return frozenset((*_in_task_modules(), *(item.task for item in SCHEDULES), *_enqueued()))


def chores() -> set[str]:
    """What every worker host does every few seconds."""
    return {f"{chore.__module__}.{chore.__name__}" for chore in registry.upkeep()}


def commands() -> set[str]:
    """The commands of our own apps."""
    ours = {config.name for config in our_apps()}
    return {name for name, app in get_commands().items() if app in ours}


def our_apps() -> list[object]:
    """The apps whose code stands here."""
    base = Path(settings.BASE_DIR)
    return [
        one
        for one in apps.get_app_configs()
        if Path(one.path).parent in (base, base / "purelymanage")
    ]


def sources() -> Iterator[tuple[str, Path]]:
    """`(dotted name, file)` of every module of ours but tests, measurements and migrations."""
    base = Path(settings.BASE_DIR)
    for config in our_apps():
        for path in sorted(Path(config.path).rglob("*.py")):
            parts = path.relative_to(base).with_suffix("").parts
            if not {"tests", "migrations"} & set(parts):
                yield ".".join(parts), path


def _in_task_modules() -> Iterator[str]:
    for name, path in sources():
        if path.name == "tasks.py":
            for task, found in inspect.getmembers(import_module(name), inspect.isfunction):
                if found.__module__ == name:
                    yield f"{name}.{task}"


def _enqueued() -> Iterator[str]:
    """The first argument of each `enqueue`: a text, or a name that the module has for one."""
    for name, path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and _called(node) in ("enqueue", "async_task"):
                task = node.args[0]
                if isinstance(task, ast.Constant):
                    yield str(task.value)
                elif name != "purelymanage.jobs.queue":  # which passes on what it was given
                    yield str(getattr(import_module(name), ast.unparse(task)))


def _called(node: ast.Call) -> str:
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
