"""Work on many mailboxes at once."""
