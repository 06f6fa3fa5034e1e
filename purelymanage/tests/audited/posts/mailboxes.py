"""Mailboxes, and work on many of them."""

from __future__ import annotations

from django.urls import reverse

from audit.actions import Action
from purelymanage.tests.audited.tables import Exempt, Leaves, Line, Post
from purelymanage.tests.audited.world import DOMAIN, LEA, NEW_PASSWORD, Answer, World

NEW = {"local_part": "max", "domain": DOMAIN, "password": NEW_PASSWORD}
RECOVERY = {"type": "email", "target": "lea@away.example", "description": "private"}


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


MAILBOXES: list[Line] = [
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
]
