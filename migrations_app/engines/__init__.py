"""Programs that copy one mailbox into another; `base.py` says what they have in common."""
