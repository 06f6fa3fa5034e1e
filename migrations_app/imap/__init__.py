"""Servers as the panel meets them itself: judged addresses, a login test, a look at a mailbox."""
