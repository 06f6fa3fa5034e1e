"""Signing in, people, one's own looks, the log itself, and the raw data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allauth.account.utils import user_pk_to_url_str
from django.contrib.admin import site as admin_site
from django.contrib.auth.tokens import default_token_generator
from django.urls import reverse

from accounts.entrance.setup_code import setup_code
from accounts.models import User
from audit.actions import Action
from audit.models import Outcome
from conftest import PASSWORD
from purelymanage.tests.audited.tables import Exempt, Leaves, Line, Post
from purelymanage.tests.audited.world import NEW_PASSWORD, Answer, World

WINDOW = "Django's admin is a window on raw data: no page of it changes anything."
ANY = frozenset({200, 301, 302, 400, 403, 404, 405})


def _login(world: World, post: Post, password: str = PASSWORD) -> Answer:
    return post(login=world.people["admin"].email, password=password)


def _set_up(_world: World, post: Post) -> Answer:
    User.objects.all().delete()
    facts = {"name": "Nora", "email": "nora@panel.example", "password": NEW_PASSWORD}
    return post(code=setup_code(), **facts)


def _set_password_by_link(world: World, post: Post) -> Answer:
    person = world.people["admin"]
    key = default_token_generator.make_token(person)
    client = world.client("stranger")
    link = reverse("account_reset_password_from_key", args=[user_pk_to_url_str(person), key])
    page = client.get(link).url
    return world.send(client, page, password1=NEW_PASSWORD, password2=NEW_PASSWORD)


def _gone(_world: World) -> User:
    facts = {"email": "gone@panel.example", "name": "Gero", "is_active": False}
    return User.objects.create(**facts)


def _every_table(page: str, **data: Any) -> Callable[[World, Post], list[Answer]]:
    """Posts to that page of each table of Django's admin, for a row that is there."""

    def send(world: World, post: Post) -> list[Answer]:
        world.running_batch  # noqa: B018  with all else there is, rows for some of the tables
        world.deletion  # noqa: B018
        client = world.client("owner")
        answers = []
        for model in admin_site._registry:
            pk = model.objects.values_list("pk", flat=True).first() or 1
            args = [] if page in ("changelist", "add") else [str(pk)]
            name = f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"
            chosen = {"_selected_action": [str(pk)], **data} if data else {}
            answers.append(world.send(client, reverse(name, args=args), **chosen))
        return answers

    return send


def _raw(path: str) -> Callable[[World, Post], Answer]:
    return lambda world, _post: world.send(world.client("owner"), path)


PEOPLE: list[Line] = [
    # Signing in, and one's own account
    Leaves("accounts:setup", Action.OWNER_CREATED, _set_up, by="stranger", actor="anonymous"),
    Leaves("account_login", Action.SIGNED_IN, _login, by="stranger", actor="admin"),
    Leaves(
        "account_login",
        Action.SIGN_IN_FAILED,
        lambda world, post: _login(world, post, NEW_PASSWORD),
        by="stranger",
        actor="anonymous",
        result=Outcome.Result.REFUSED,
        status={422},
    ),
    Leaves("account_logout", Action.SIGNED_OUT, lambda _world, post: post()),
    Leaves(
        "account_change_password",
        Action.PASSWORD_CHANGED,
        lambda _world, post: post(
            oldpassword=PASSWORD, password1=NEW_PASSWORD, password2=NEW_PASSWORD
        ),
    ),
    Exempt(
        "account_reset_password",
        "It says the same for any address and changes nothing; the worker that mails the link"
        " to a person who is there leaves the entry.",
        lambda world, post: post(email=world.people["admin"].email),
        by="stranger",
    ),
    Leaves(
        "account_reset_password_from_key",
        Action.PASSWORD_RESET,
        _set_password_by_link,
        by="stranger",
        actor="admin",
    ),
    Leaves(
        "accounts:settings",
        Action.PROFILE_CHANGED,
        lambda _world, post: post(name="Vera B."),
        by="viewer",
    ),
    # People
    Leaves(
        "accounts:person",
        Action.PERSON_CHANGED,
        lambda world, post: post(world.people["viewer"].pk, role="admin"),
        by="owner",
    ),
    Leaves(
        "accounts:person_remove",
        Action.PERSON_REMOVED,
        lambda world, post: post(world.people["viewer"].pk),
        by="owner",
    ),
    Leaves(
        "accounts:person_restore",
        Action.PERSON_RESTORED,
        lambda world, post: post(_gone(world).pk),
        by="owner",
    ),
    Leaves(
        "accounts:notifications_test",
        Action.NOTIFICATIONS_TESTED,
        lambda _world, post: post(),
    ),
    Leaves("accounts:purelymail_test", Action.CONNECTION_TESTED, lambda _world, post: post()),
    # The log itself
    Exempt(
        "audit:check",
        "It has the workers read the whole log; only what is wrong with it goes on record.",
        lambda _world, post: post(),
    ),
    # Looks, and what only the demo has
    Exempt(
        "ui:theme",
        "A cookie of one's own browser.",
        lambda _world, post: post(theme="dark"),
        by="viewer",
    ),
    Exempt(
        "ui:keys",
        "A cookie of one's own browser.",
        lambda _world, post: post(keys=""),
        by="viewer",
    ),
    Exempt(
        "ui:password_strength",
        "It judges what is being typed and keeps it nowhere.",
        lambda _world, post: post(password=NEW_PASSWORD),
        by="stranger",
    ),
    Exempt(
        "demo:publish",
        "It plays somebody else, the DNS provider, and is not there outside the demo. Neither the"
        " panel nor PurelyMail changes by it; what adds the domain afterwards is on record.",
        lambda _world, post: post(domain="new.example", what="ownership"),
    ),
    # Raw data
    *(
        Exempt(f"admin:*_{page}", WINDOW, _every_table(page, **data), by="owner", status=ANY)
        for page, data in {
            "changelist": {"action": "delete_selected", "post": "yes"},
            "add": {"_save": "Save", "name": "forged"},
            "change": {"_save": "Save", "name": "forged"},
            "delete": {"post": "yes"},
            "history": {},
        }.items()
    ),
    *(
        Exempt(name, WINDOW, _raw(path), by="owner", status=ANY)
        for name, path in {
            "admin": "/admin/nothing/",
            "admin:app_list": "/admin/domains/",
            "admin:autocomplete": "/admin/autocomplete/",
            "admin:index": "/admin/",
            "admin:jsi18n": "/admin/jsi18n/",
            "admin:login": "/admin/login/",
            "admin:password_change": "/admin/password_change/",
            "admin:password_change_done": "/admin/password_change/done/",
            "admin:view_on_site": "/admin/r/1/1/",
        }.items()
    ),
    Leaves("admin:logout", Action.SIGNED_OUT, lambda _world, post: post(), by="owner"),
]
