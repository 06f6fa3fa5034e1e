"""The one door to DNS: asks our resolvers about a domain, within a time that has an end."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import dns.exception
import dns.name
import dns.nameserver
import dns.rdatatype
import dns.resolver
from django.conf import settings
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from dns.rdtypes.ANY.CNAME import CNAME
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.TXT import TXT

from domains.expected import ALIAS_TARGETS, NAMES, full_name
from domains.models import RecordKey
from domains.records import Alias, Answer, Answers, Finding, judge
from purelymanage.core.hosts import parse_endpoint

__all__ = ["Finding", "look_for_ownership", "look_up", "resolvers_described"]

DNS_PORT = 53
TRY_SECONDS = 2.0
QUESTION_SECONDS = 5.0
DOMAIN_SECONDS = 10.0
MAX_LINKS = 8
UDP_SIZE = 1232  # what passes everywhere without being cut in pieces; more comes by TCP
MAX_PROBLEM = 200


def look_up(name: str, *, ownership_code: str) -> dict[RecordKey, Finding]:
    """All records of one domain, asked side by side; no answer within 10 s is said as such."""
    resolver = _Resolver(seconds=DOMAIN_SECONDS)
    with ThreadPoolExecutor(max_workers=6, thread_name_prefix="dns") as pool:
        mx, txt = (pool.submit(resolver.ask, name, kind) for kind in ("MX", "TXT"))
        aliases = {
            key: pool.submit(resolver.follow, full_name(name, NAMES[key]), target)
            for key, target in ALIAS_TARGETS.items()
        }
        answers = Answers(
            mx.result(), txt.result(), {key: alias.result() for key, alias in aliases.items()}
        )
    return judge(answers, ownership_code=ownership_code)


def look_for_ownership(name: str, *, ownership_code: str) -> Finding:
    """The ownership record alone, within 5 s."""
    answer = _Resolver(seconds=QUESTION_SECONDS).ask(name, "TXT")
    answers = Answers(mx=Answer(), txt=answer, aliases={})
    return judge(answers, ownership_code=ownership_code)[RecordKey.OWNERSHIP]


def resolvers_described() -> str:
    """Whom we ask, for pages: `1.1.1.1 and 9.9.9.9`."""
    return _listed(_name_servers()) or _("no resolver: this machine names none")


class _Resolver:
    """Asks until its time is up. It remembers nothing: a lookup shows what stands there now."""

    def __init__(self, *, seconds: float) -> None:
        self._deadline = time.monotonic() + seconds
        self._resolver = dns.resolver.Resolver(configure=False)
        self._resolver.timeout = TRY_SECONDS
        self._resolver.use_edns(0, 0, UDP_SIZE)
        self._servers = _name_servers()
        self._resolver.nameservers = self._servers

    def ask(self, name: str, kind: str) -> Answer:
        """The values of one type at one name."""
        seconds = min(QUESTION_SECONDS, self._deadline - time.monotonic())
        if not self._servers or seconds <= 0:
            return Answer(problem=self._why_not_asked())
        try:
            answer = self._resolver.resolve(
                dns.name.from_text(name),
                kind,
                raise_on_no_answer=False,
                lifetime=seconds,
                search=False,
            )
        except dns.resolver.NXDOMAIN as error:
            # An alias that leads nowhere exists itself
            return Answer(is_nxdomain=error.canonical_name == dns.name.from_text(name))
        except (dns.resolver.NoNameservers, dns.resolver.LifetimeTimeout) as error:
            return Answer(problem=self._why(error.kwargs["errors"], seconds))
        except (dns.exception.DNSException, UnicodeError):
            problem = _("%(name)s is too long or no name that DNS could hold.") % {"name": name}
            return Answer(problem=problem[-MAX_PROBLEM:])
        return Answer(values=_texts(answer))

    def follow(self, name: str, target: str) -> Alias:
        """Where the CNAME at `name` leads, until it reaches `target` or an end."""
        links: list[str] = []
        here = name
        while len(links) < MAX_LINKS:
            answer = self.ask(here, "CNAME")
            if answer.problem:
                return Alias(tuple(links), problem=answer.problem)
            if not answer.values:
                break
            here = answer.values[0]
            if here.lower() in (name.lower(), *map(str.lower, links)):
                return Alias((*links, here), is_endless=True)
            links.append(here)
            if here.lower() == target:
                return Alias(tuple(links))
        else:
            return Alias(tuple(links), is_endless=True)
        texts = Answer() if answer.is_nxdomain else self.ask(here, "TXT")
        return Alias(tuple(links), texts.values, problem=texts.problem)

    def _why_not_asked(self) -> str:
        if not self._servers:
            return _("This machine names no DNS resolver. Name one in DNS_RESOLVERS.")
        return _("%(servers)s took too long; there was no time left to ask for this.") % {
            "servers": _listed(self._servers)
        }

    def _why(self, errors: Sequence[Any], seconds: float) -> str:
        """A sentence per server; of several tries the last one counts."""
        troubles = {error[0]: error[3] for error in errors}
        asked = [server for server in self._servers if str(server) in troubles] or self._servers
        sentences = [
            _sentence(_described(server), troubles.get(str(server)), seconds) for server in asked
        ]
        return " ".join(sentences)[:MAX_PROBLEM]


def _sentence(server: str, trouble: object, seconds: float) -> str:
    """What went wrong with one server, from dnspython's list of tries."""
    words = {"server": server, "seconds": max(1, round(seconds)), "code": trouble}
    if trouble is None or isinstance(trouble, dns.exception.Timeout):
        return _("%(server)s did not answer within %(seconds)s s.") % words
    if isinstance(trouble, OSError):
        words["reason"] = (trouble.strerror or str(trouble)).lower()
        return _("%(server)s cannot be reached: %(reason)s.") % words
    if trouble == "REFUSED":
        return _("%(server)s refused to answer.") % words
    if trouble == "SERVFAIL":
        sentence = _("%(server)s got no usable answer from the domain's name servers (SERVFAIL).")
        return sentence % words
    if isinstance(trouble, str):
        return _("%(server)s answered %(code)s.") % words
    return _("%(server)s sent an answer that makes no sense.") % words


def _name_servers() -> list[dns.nameserver.Do53Nameserver]:
    """Those of DNS_RESOLVERS, else those of this machine; none if it has no usable ones."""
    if settings.DNS_RESOLVERS:
        endpoints = [parse_endpoint(text, port=DNS_PORT) for text in settings.DNS_RESOLVERS]
        return [dns.nameserver.Do53Nameserver(*one) for one in endpoints if one]
    try:
        machine = dns.resolver.Resolver()
    except (dns.resolver.NoResolverConfiguration, ValueError):
        return []
    return [dns.nameserver.Do53Nameserver(str(one), machine.port) for one in machine.nameservers]


def _listed(servers: Sequence[dns.nameserver.Do53Nameserver]) -> str:
    return get_text_list([_described(server) for server in servers], _("and"))


def _described(server: dns.nameserver.Do53Nameserver) -> str:
    if server.port == DNS_PORT:
        return server.address
    host = f"[{server.address}]" if ":" in server.address else server.address
    return f"{host}:{server.port}"


def _texts(answer: dns.resolver.Answer) -> tuple[str, ...]:
    """Values as people write them, sorted: servers give them in any order."""
    return tuple(text for _rank, text in sorted(map(_ranked, answer.rrset or ())))


def _ranked(record: Any) -> tuple[int, str]:
    if isinstance(record, MX):
        return record.preference, f"{record.preference} {_host(record.exchange)}"
    if isinstance(record, CNAME):
        return 0, _host(record.target)
    if isinstance(record, TXT):
        return 0, b"".join(record.strings).decode("utf-8", "backslashreplace")
    return 0, record.to_text()


def _host(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True)
