"""Files of mailboxes, and work on many jobs at once."""
