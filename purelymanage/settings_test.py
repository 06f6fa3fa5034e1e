"""What tests change, and nothing else."""

import atexit
import os
import shutil
import tempfile

if "TEST_DATA_DIR" not in os.environ:  # several test processes share what the first one makes
    os.environ["TEST_DATA_DIR"] = tempfile.mkdtemp(prefix="purelymanage-test-")
    atexit.register(shutil.rmtree, os.environ["TEST_DATA_DIR"], ignore_errors=True)
os.environ["DATA_DIR"] = os.environ["TEST_DATA_DIR"]
os.environ.setdefault("PURELYMAIL_API_TOKEN", "test-token")
os.environ.setdefault("PURELYMAIL_API_URL", "http://127.0.0.1:9")
os.environ.setdefault("IMAP_ALLOW_LOCAL", "on")
os.environ.setdefault("DNS_RESOLVERS", "127.0.0.1:9")
os.environ.setdefault("SECRET_KEY", "test-" + "k3y-of-many-characters-" * 4)
os.environ.setdefault("ENCRYPTION_KEYS", "dGVzdCBrZXkgb2YgZXhhY3RseSAzMiBieXRlcyBsb24=")

from purelymanage.settings import *  # noqa: F403  the environment above must come first
from purelymanage.settings import DATA_DIR, DATABASES, STATIC_ROOT, STORAGES, TEMPLATES

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, because SQLite in memory locks in another way than what runs in production
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
STATIC_ROOT.mkdir(exist_ok=True)  # whitenoise warns without it
RATE_LIMITS = False
ACCOUNT_RATE_LIMITS = False  # type: ignore[assignment]  # allauth's way to say none
_memory = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
CACHES = {"default": _memory, "process": _memory}


class UnknownVariable(str):
    """Fails the test that renders a variable the template does not have."""

    __slots__ = ()

    def __mod__(self, name: object) -> str:
        raise AssertionError(f"Unknown template variable: {name}")

    def __contains__(self, text: object) -> bool:
        return text == "%s" or super().__contains__(str(text))


_options: dict[str, object] = TEMPLATES[0]["OPTIONS"]  # type: ignore[assignment]  # mixed values
_options["string_if_invalid"] = UnknownVariable("%s")
