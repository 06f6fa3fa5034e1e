"""What a browser says about itself, in words that its person knows it by."""

from __future__ import annotations

from django.utils.translation import gettext as _

# The first that is found counts: most name those they descend from as well
BROWSERS = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "SamsungBrowser/": "Samsung Internet",
    "Vivaldi/": "Vivaldi",
    "Firefox/": "Firefox",
    "FxiOS/": "Firefox",
    "CriOS/": "Chrome",
    "Chrome/": "Chrome",
    "Safari/": "Safari",
}
SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Macintosh": "macOS",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}
HAND_HELD = {"iPhone", "iPad", "Android"}


def device_words(user_agent: str) -> str:
    """`Firefox on Windows`, or as much of it as can be told."""
    browser, system = _first(BROWSERS, user_agent), _first(SYSTEMS, user_agent)
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    if system:
        return _("A browser on %(system)s") % {"system": system}
    return browser or _("An unknown device")


def is_hand_held(user_agent: str) -> bool:
    """Whether it is a phone or a tablet."""
    return _first(SYSTEMS, user_agent) in HAND_HELD


def _first(names: dict[str, str], user_agent: str) -> str:
    return next((name for mark, name in names.items() if mark in user_agent), "")
