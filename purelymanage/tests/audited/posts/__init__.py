"""Every address that takes a POST: how it is sent, and what is on record afterwards."""

from purelymanage.tests.audited.posts.domains import DOMAINS
from purelymanage.tests.audited.posts.factors import FACTORS
from purelymanage.tests.audited.posts.invitations import INVITATIONS
from purelymanage.tests.audited.posts.mailboxes import MAILBOXES
from purelymanage.tests.audited.posts.migrations import MIGRATIONS
from purelymanage.tests.audited.posts.people import PEOPLE
from purelymanage.tests.audited.posts.policy import POLICY
from purelymanage.tests.audited.posts.sessions import SESSIONS

POSTS = [*PEOPLE, *FACTORS, *POLICY, *SESSIONS, *INVITATIONS, *MAILBOXES, *DOMAINS, *MIGRATIONS]
