"""The switches under `/_simulator/`; `server.py` lists them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from purelymanage.purelymail.simulator.account import Dns
from purelymanage.purelymail.simulator.faults import Fault
from purelymanage.purelymail.simulator.service import Service

Values = dict[str, Any]


def answer_control(
    service: Service, method: str, name: str, content: bytes
) -> tuple[object, HTTPStatus]:
    """Do what a control asks for; what it cannot make sense of is a 400 with a sentence."""
    control = CONTROLS.get((method, name))
    if control is None:
        return {"error": f"No control {method} {name}."}, HTTPStatus.NOT_FOUND
    try:
        values = json.loads(content) if method == "POST" else {}
        with service.lock:
            answer = control(service, values)
            service.save()
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        return {"error": f"{type(error).__name__}: {error}"}, HTTPStatus.BAD_REQUEST
    return answer, HTTPStatus.OK


def _state(service: Service, values: Values) -> object:
    return service.state()


def _calls(service: Service, values: Values) -> object:
    return service.calls


def _faults(service: Service, values: Values) -> object:
    return [asdict(fault) for fault in service.faults.current()]


def _clear_faults(service: Service, values: Values) -> object:
    service.faults.clear()
    return []


def _add_fault(service: Service, values: Values) -> object:
    service.faults.add(Fault(**values))
    return _faults(service, values)


def _verify(service: Service, values: Values) -> object:
    return {"valid": service.account.verify_password(values["address"], values["password"])}


def _dns(service: Service, values: Values) -> object:
    domain = values.pop("domain").lower()
    if values.pop("ownership", False):
        service.account.publish_ownership(domain)
    if values:
        known = service.account.dns.get(domain, Dns())
        service.account.publish_dns(domain, **{**asdict(known), **values})
    return {}


def _credit(service: Service, values: Values) -> object:
    service.account.credit = str(values["credit"])
    return {}


def _reset(service: Service, values: Values) -> object:
    service.reset()
    return {}


CONTROLS: dict[tuple[str, str], Callable[[Service, Values], object]] = {
    ("GET", "state"): _state,
    ("GET", "calls"): _calls,
    ("GET", "faults"): _faults,
    ("DELETE", "faults"): _clear_faults,
    ("POST", "faults"): _add_fault,
    ("POST", "verify"): _verify,
    ("POST", "dns"): _dns,
    ("POST", "credit"): _credit,
    ("POST", "reset"): _reset,
}
