"""The built-in engine: copies one mailbox into another with nothing but Python and imapclient.

It runs as a process of its own, without Django, and keeps no state outside the two mailboxes.
`engine.py` and `reader.py` are the two files that belong to the panel's side.
"""
