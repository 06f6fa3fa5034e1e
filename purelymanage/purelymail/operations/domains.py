"""Domains, their settings, and the account's ownership code."""

from __future__ import annotations

from django.utils.translation import gettext as _

from purelymanage.purelymail import replies
from purelymanage.purelymail.operations.base import Operations
from purelymanage.purelymail.transport import fields
from purelymanage.purelymail.types import RemoteDomain


class DomainOperations(Operations):
    """Operations on domains."""

    def list_domains(self, *, include_shared: bool = False) -> list[RemoteDomain]:
        """All domains, with DNS verdicts as old as PurelyMail's last look."""
        reply = self._read("listDomains", fields(includeShared=include_shared or None))
        return [replies.domain_of(entry) for entry in replies.objects(reply, "domains")]

    def get_ownership_code(self) -> str:
        """The whole value of the TXT record that proves a domain is ours; one per account."""
        return replies.text(self._read("getOwnershipCode"), "code")

    def add_domain(self, *, name: str) -> None:
        """Add a domain whose ownership record is visible in DNS."""
        self._write(
            "addDomain",
            fields(domainName=name),
            about=name,
            slow=True,
            done=lambda: self._domain(name) is not None,
            unclear=_(
                "It is not known whether %(name)s was added: "
                "look for it in the list of domains before adding it again."
            )
            % {"name": name},
        )

    def update_domain_settings(
        self,
        *,
        name: str,
        allow_account_reset: bool | None = None,
        symbolic_subaddressing: bool | None = None,
        recheck_dns: bool = False,
    ) -> None:
        """Change the given settings; a recheck shows only in the next `list_domains`."""
        wanted = {
            "allow_account_reset": allow_account_reset,
            "symbolic_subaddressing": symbolic_subaddressing,
        }
        self._write(
            "updateDomainSettings",
            fields(
                name=name,
                allowAccountReset=allow_account_reset,
                symbolicSubaddressing=symbolic_subaddressing,
                recheckDns=recheck_dns or None,
            ),
            about=name,
            slow=recheck_dns,
            repeat=True,
            done=None if recheck_dns else lambda: self._domain_has(name, wanted),
            unclear=_(
                "It is not known whether PurelyMail updated %(name)s. "
                "Refresh the list of domains; repeating the change does no harm."
            )
            % {"name": name},
        )

    def delete_domain(self, *, name: str) -> None:
        """Delete a domain with all its mailboxes and rules; there is no undo."""
        self._write(
            "deleteDomain",
            fields(name=name),
            about=name,
            done=lambda: self._domain(name) is None,
            unclear=_(
                "It is not known whether %(name)s was deleted: look for it in the list of domains."
            )
            % {"name": name},
        )

    def _domain(self, name: str) -> RemoteDomain | None:
        """There is no operation for one domain."""
        wanted = name.lower()
        return next((one for one in self.list_domains() if one.name.lower() == wanted), None)

    def _domain_has(self, name: str, wanted: dict[str, bool | None]) -> bool:
        domain = self._domain(name)
        return domain is not None and all(
            value is None or getattr(domain, setting) == value for setting, value in wanted.items()
        )
