"""PurelyMail's 19 operations by resource; `client.py` puts them together."""
