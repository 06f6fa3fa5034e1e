"""Every address that takes a POST: how it is sent, and what is on record afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allauth.account.utils import user_pk_to_url_str
from django.contrib.admin import site as admin_site
from django.contrib.auth.tokens import default_token_generator
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.setup_code import setup_code
from audit.actions import Action
from audit.models import Outcome
from conftest import PASSWORD
from domains.models import Domain, RecordKey, RecordState
from domains.tests.factories import DnsRecordFactory
from purelymanage.tests.audited.tables import Exempt, Leaves, Line
from purelymanage.tests.audited.world import DOMAIN, LEA, NEW_PASSWORD, Answer, World

NEW = {"local_part": "max", "domain": DOMAIN, "password": NEW_PASSWORD}
RULE = {"kind": "exact", "match": "office", "domain": DOMAIN, "targets": LEA}
RECOVERY = {"type": "email", "target": "lea@away.example", "description": "private"}
SERVER = {"name": "New provider", "host": "imap.new.example", "port": 993, "security": "tls"}
NOWHERE = {"host": "127.0.0.1", "port": 9, "security": "none"}
KEY = RecordKey.MX
WINDOW = "Django's admin is a window on raw data: no page of it changes anything."
ANY = frozenset({200, 301, 302, 400, 403, 404, 405})
Post = Callable[..., Answer]


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


def _gone(world: World) -> User:
    person: User = world.people["viewer"]
    person.is_active = False
    person.save()
    return person


def _failing(world: World) -> None:
    facts = {"checked_at": timezone.now(), "failing_count": 1, "passes_mx": False}
    Domain.objects.filter(pk=world.domain.pk).update(**facts)


def _differing_record(world: World) -> None:
    found = ["10 mail.else.example"]
    DnsRecordFactory(domain=world.domain, key=KEY, state=RecordState.WRONG, found=found)


def _accepted_record(world: World) -> None:
    _differing_record(world)
    world.post("domains:deviation", world.domain.pk, KEY, reason="Moved later.")


def _added_domain(world: World, post: Post) -> Answer:
    world.publish("new.example")
    return post(name="new.example")


def _restore(world: World, _post: Post) -> Answer:
    """The mailbox was made again, with settings as PurelyMail gives them."""
    path = reverse("mailboxes:restore", args=[world.mailbox.pk])
    query = f"?deletion={world.executed.pk}"
    world.purelymail.state.users[LEA].enable_search_indexing ^= True
    return world.send(world.client("admin"), path + query)


def _new_app_password(world: World, post: Post) -> Answer:
    answer = post(world.mailbox.pk, name="Laptop")
    world.secrets.append(answer.context["app_password"])
    return answer


def _revoke_app_password(world: World, post: Post) -> Answer:
    app_password = world.purelymail.client.create_app_password(address=LEA, name="Laptop")
    world.secrets.append(app_password)
    return post(world.mailbox.pk, app_password=app_password)


def _job(world: World, *, server: Any = None) -> dict[str, Any]:
    """What the form of a job sends."""
    server = server or world.server
    ends = {
        f"{side}_{name}": value
        for side, address in (("source", "lea@old.example"), ("destination", LEA))
        for name, value in {
            "server": server.pk,
            "address": address,
            "password": NEW_PASSWORD,
        }.items()
    }
    return {"name": "Lea", "dry_run": "on", **ends}


def _nowhere(world: World) -> Any:
    for name, value in NOWHERE.items():
        setattr(world.server, name, value)
    world.server.save()
    return world.server


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


POSTS: list[Line] = [
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
        "accounts:person_add",
        Action.PERSON_ADDED,
        lambda _world, post: post(
            name="Nils", email="nils@panel.example", role="admin", password=NEW_PASSWORD
        ),
        by="owner",
    ),
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
    Leaves("accounts:purelymail_test", Action.CONNECTION_TESTED, lambda _world, post: post()),
    # Mailboxes
    Leaves("mailboxes:add", Action.MAILBOX_CREATED, lambda _world, post: post(**NEW)),
    Leaves(
        "mailboxes:export_selected",
        Action.MAILBOXES_EXPORTED,
        lambda world, post: post(selected=[world.mailbox.pk]),
    ),
    Leaves(
        "mailboxes:password_reset",
        Action.MAILBOX_PASSWORD_RESET,
        lambda world, post: post(world.mailbox.pk, password=NEW_PASSWORD),
    ),
    Exempt(
        "mailboxes:settings",
        "It asks PurelyMail for the settings and stores them nowhere; that somebody looked at the"
        " page of a mailbox is noted, so that the list is refreshed more often.",
        lambda world, post: post(world.mailbox.pk),
        writes=("domains_syncstate",),
    ),
    Leaves(
        "mailboxes:setting_change",
        Action.MAILBOX_CHANGED,
        lambda world, post: post(world.mailbox.pk, setting="require_two_factor", value="on"),
    ),
    Leaves(
        "mailboxes:recovery_add",
        Action.RECOVERY_SAVED,
        lambda world, post: post(world.mailbox.pk, **RECOVERY),
    ),
    Leaves(
        "mailboxes:recovery_edit",
        Action.RECOVERY_SAVED,
        lambda world, post: post(
            world.mailbox.pk, **RECOVERY | {"existing_target": "lea@home.example"}
        ),
    ),
    Leaves(
        "mailboxes:recovery_remove",
        Action.RECOVERY_REMOVED,
        lambda world, post: post(world.mailbox.pk, target="lea@home.example", confirmed="1"),
    ),
    Exempt(
        "mailboxes:recovery_remove",
        "Without `confirmed` it only asks the question.",
        lambda world, post: post(world.mailbox.pk, target="lea@home.example"),
    ),
    Leaves(
        "mailboxes:app_password_add",
        Action.APP_PASSWORD_CREATED,
        _new_app_password,
    ),
    Leaves(
        "mailboxes:app_password_revoke",
        Action.APP_PASSWORD_REVOKED,
        _revoke_app_password,
    ),
    Leaves(
        "mailboxes:rename",
        Action.MAILBOX_RENAMED,
        lambda world, post: post(world.mailbox.pk, local_part="lea.neu", domain=DOMAIN),
    ),
    Leaves("mailboxes:restore", Action.MAILBOX_CHANGED, _restore),
    Leaves(
        "mailboxes:delete",
        Action.DELETION_SCHEDULED,
        lambda world, post: post(world.mailbox.pk),
    ),
    # Work on many of them
    Leaves(
        "mailboxes:batches:upload",
        Action.BATCH_PREPARED,
        lambda _world, post: post(
            pasted=f"local_part,domain,password\nmax,{DOMAIN},{NEW_PASSWORD}\n"
        ),
    ),
    Leaves(
        "mailboxes:batches:select",
        Action.BATCH_PREPARED,
        lambda world, post: post(do="delete", selected=[world.mailbox.pk]),
    ),
    Leaves(
        "mailboxes:batches:start",
        Action.BATCH_STARTED,
        lambda world, post: post(world.batch.pk),
    ),
    Leaves(
        "mailboxes:batches:continue",
        Action.BATCH_CONTINUED,
        lambda world, post: post(world.running_batch.pk),
    ),
    Leaves(
        "mailboxes:batches:cancel",
        Action.BATCH_CANCELLED,
        lambda world, post: post(world.running_batch.pk),
    ),
    Leaves(
        "mailboxes:batches:cancel",
        Action.BATCH_DISCARDED,
        lambda world, post: post(world.batch.pk),
    ),
    Leaves(
        "mailboxes:batches:passwords",
        Action.BATCH_DOWNLOADED,
        lambda world, post: post(world.done_batch.pk),
    ),
    # Domains
    Leaves("domains:add", Action.DOMAIN_ADDED, _added_domain),
    Leaves("domains:ownership_read", Action.COPY_REFRESHED, lambda _world, post: post()),
    Leaves(
        "domains:copy_refresh",
        Action.COPY_REFRESHED,
        lambda _world, post: post("mailboxes"),
    ),
    Leaves(
        "domains:recheck",
        Action.DOMAIN_RECHECKED,
        lambda world, post: post(world.domain.pk),
    ),
    Leaves(
        "domains:recheck_failing",
        Action.DOMAIN_RECHECKED,
        lambda world, post: (_failing(world), post())[1],
    ),
    Leaves(
        "domains:settings",
        Action.DOMAIN_CHANGED,
        lambda world, post: post(world.domain.pk, setting="symbolic_subaddressing", is_on=""),
    ),
    Leaves(
        "domains:deviation",
        Action.DEVIATION_ACCEPTED,
        lambda world, post: (
            _differing_record(world),
            post(world.domain.pk, KEY, reason="Moved later."),
        )[1],
    ),
    Leaves(
        "domains:deviation_withdraw",
        Action.DEVIATION_WITHDRAWN,
        lambda world, post: (_accepted_record(world), post(world.domain.pk, KEY))[1],
    ),
    Leaves(
        "domains:delete",
        Action.DELETION_SCHEDULED,
        lambda world, post: post(world.domain.pk, typed=DOMAIN),
    ),
    # Routing
    Leaves("routing:add", Action.RULE_CREATED, lambda _world, post: post(**RULE)),
    Leaves(
        "routing:edit",
        Action.RULE_CHANGED,
        lambda world, post: post(world.rule.pk, **RULE),
    ),
    Exempt(
        "routing:preview",
        "It says what a rule being typed would do, from the copy alone.",
        lambda _world, post: post(**RULE),
    ),
    Leaves(
        "routing:delete",
        Action.DELETION_SCHEDULED,
        lambda world, post: post(world.rule.pk),
    ),
    # Deletions
    Leaves(
        "deletions:cancel",
        Action.DELETION_CANCELLED,
        lambda world, post: post(world.deletion.pk),
    ),
    Leaves(
        "deletions:cancel_selected",
        Action.DELETION_CANCELLED,
        lambda world, post: post(selected=[world.deletion.pk]),
    ),
    Leaves(
        "deletions:freeze",
        Action.PERSON_FROZEN,
        lambda world, post: (world.deletion, post(world.people["admin"].pk))[1],
        by="owner",
    ),
    Leaves(
        "deletions:freeze_undo",
        Action.PERSON_UNFROZEN,
        lambda world, post: post(world.freeze.pk),
        by="owner",
    ),
    # Migrations
    Leaves("migrations:server_add", Action.SERVER_CREATED, lambda _world, post: post(**SERVER)),
    Leaves(
        "migrations:server_edit",
        Action.SERVER_CHANGED,
        lambda world, post: post(world.server.pk, **SERVER),
    ),
    Leaves(
        "migrations:server_test",
        Action.SERVER_TESTED,
        lambda world, post: post(_nowhere(world).pk, address=LEA, password=NEW_PASSWORD),
        result=Outcome.Result.REFUSED,
    ),
    Leaves(
        "migrations:server_delete",
        Action.SERVER_DELETED,
        lambda world, post: post(world.server.pk),
    ),
    Leaves("migrations:add", Action.JOB_CREATED, lambda world, post: post(**_job(world))),
    Leaves(
        "migrations:add",
        Action.SERVER_TESTED,
        lambda world, post: post(**_job(world, server=_nowhere(world)), test="1"),
        result=Outcome.Result.REFUSED,
    ),
    Leaves(
        "migrations:edit",
        Action.JOB_CHANGED,
        lambda world, post: post(world.job.pk, **_job(world)),
    ),
    Leaves(
        "migrations:edit",
        Action.SERVER_TESTED,
        lambda world, post: post(world.job.pk, **_job(world, server=_nowhere(world)), test="1"),
        result=Outcome.Result.REFUSED,
    ),
    Leaves(
        "migrations:cancel",
        Action.JOB_CANCELLED,
        lambda world, post: post(world.queued_job.pk),
    ),
    Leaves("migrations:real", Action.JOB_CREATED, lambda world, post: post(world.job.pk)),
    Leaves("migrations:rerun", Action.JOB_QUEUED, lambda world, post: post(world.job.pk)),
    Leaves("migrations:delete", Action.JOB_DELETED, lambda world, post: post(world.job.pk)),
    Leaves(
        "migrations:erase",
        Action.CREDENTIALS_ERASED,
        lambda world, post: post(world.job.pk),
    ),
    *(
        Leaves(
            "migrations:selected",
            action,
            lambda world, post, verb=verb, kind=kind: post(
                selected=[getattr(world, kind).pk], action=verb, confirmed="1"
            ),
        )
        for verb, kind, action in (
            ("cancel", "queued_job", Action.JOB_CANCELLED),
            ("real", "job", Action.JOB_CREATED),
            ("rerun", "job", Action.JOB_QUEUED),
            ("delete", "job", Action.JOB_DELETED),
        )
    ),
    Leaves(
        "migration_settings:limits",
        Action.LIMIT_CHANGED,
        lambda _world, post: post(concurrency=3, per_source_host=2),
    ),
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
