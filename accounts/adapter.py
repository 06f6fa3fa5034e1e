"""How django-allauth behaves here."""

from allauth.account.adapter import DefaultAccountAdapter


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    def is_open_for_signup(self, request: object) -> bool:
        """Nobody signs up by themselves; people are invited."""
        return False
