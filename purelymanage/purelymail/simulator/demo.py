"""The account of demo mode: the hotel Lindenhof, its shop, and a studio that is just moving in."""

from __future__ import annotations

import hashlib

from purelymanage.purelymail.simulator.account import Account

DEMO_PASSWORD = "lindenhof-demo"  # noqa: S105  every demo mailbox opens with it
CREDIT = "3.4100000000208333333259876543209876543209876543209876543209876543"

HOTEL, SHOP, STUDIO = "lindenhof.example", "lindenhof-shop.example", "atelier-nord.example"

MAILBOXES = {
    HOTEL: (
        "accounts a.hartmann a.lindqvist amara.nwosu b.castellano c.okonkwo dagny.holm desk events "
        "f.nakamura hana.kobayashi i.petrova ingrid.solberg j.abernathy jobs kitchen lea.fontaine "
        "legal m.keller m.rossi n.okafor o.marchetti p.osei press reception s.bergstrom s.haddad "
        "t.brandt"
    ),
    SHOP: (
        "billing c.vandermeer e.papadakis it newsletter noreply r.dlamini support v.moreau "
        "yusuf.demir z.novak"
    ),
    STUDIO: "studio",
}


def demo_account() -> Account:
    """Three domains in different DNS states, 40 mailboxes, 12 rules of all four kinds."""
    code = hashlib.sha512(b"the Lindenhof's demo account").hexdigest()
    account = Account(credit=CREDIT, ownership_code=f"purelymail_ownership_proof={code}")
    account.add_domain(HOTEL).symbolic_subaddressing = False
    account.add_domain(SHOP, spf=False, dkim=False).symbolic_subaddressing = False
    account.add_domain(STUDIO, spf=False, dkim=False, dmarc=False)
    for domain, local_parts in MAILBOXES.items():
        for local_part in local_parts.split():
            account.add_user(f"{local_part}@{domain}", password=DEMO_PASSWORD)
    _people(account)
    _rules(account)
    return account


def _people(account: Account) -> None:
    """A few mailboxes differ from the rest."""
    for name in ("ingrid.solberg", "o.marchetti", "accounts"):
        account.users[f"{name}@{HOTEL}"].require_two_factor = True
    account.users[f"noreply@{SHOP}"].enable_search_indexing = False
    manager = account.users[f"ingrid.solberg@{HOTEL}"]
    manager.recovery_enabled = True
    manager.add_method("email", "ingrid.solberg@oldhost.example", "private")
    manager.add_method("phone", "+49 30 5550142", "mobile")


def _rules(account: Account) -> None:
    account.add_rule(HOTEL, "info", f"reception@{HOTEL}")
    account.add_rule(HOTEL, "sales", f"t.brandt@{HOTEL}", f"events@{HOTEL}")
    account.add_rule(HOTEL, "invoices", f"accounts@{HOTEL}")
    account.add_rule(HOTEL, "hr", f"jobs@{HOTEL}", f"m.keller@{HOTEL}")
    account.add_rule(HOTEL, "abuse", f"it@{SHOP}")
    account.add_rule(HOTEL, "booking", f"desk@{HOTEL}", is_prefix=True)
    account.add_rule(HOTEL, "wedding", f"events@{HOTEL}", f"kitchen@{HOTEL}", is_prefix=True)
    account.add_rule(HOTEL, "", f"reception@{HOTEL}", is_prefix=True, is_catchall=True)
    account.add_rule(SHOP, "orders", f"support@{SHOP}")
    account.add_rule(SHOP, "return", f"support@{SHOP}", f"r.dlamini@{SHOP}", is_prefix=True)
    account.add_rule(SHOP, "", f"support@{SHOP}", is_prefix=True, is_catchall=True)
    account.add_rule(STUDIO, "", f"studio@{STUDIO}", is_prefix=True)
