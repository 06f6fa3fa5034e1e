"""All settings, from the environment or `.env`, safe by default; docs/settings.md lists them."""

from pathlib import Path
from urllib.parse import urlsplit

import environ

from purelymanage.checks import Environment, refuse_unusable
from purelymanage.core.rates import RATES
from purelymanage.core.startup import demo_keys

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment()
ENV_FILE = BASE_DIR / ".env"
environ.Env.read_env(ENV_FILE)

# PurelyMail. Without a token the panel runs on its simulator: demo mode.
PURELYMAIL_API_TOKEN = env.str("PURELYMAIL_API_TOKEN", default="")
DEMO = not PURELYMAIL_API_TOKEN

# Data: the database, demo keys and whatever else must outlive an upgrade. The demo keeps its own.
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "var" / ("demo" if DEMO else "panel"))))
DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)

PORT = env.int("PORT", default=8000)
DEMO_PORT = env.int("DEMO_PORT", default=PORT + 10)
DEMO_OLD_PORT, DEMO_NEW_PORT, DEMO_DNS_PORT = DEMO_PORT + 1, DEMO_PORT + 2, DEMO_PORT + 3
PURELYMAIL_API_URL = env.str(
    "PURELYMAIL_API_URL",
    default=f"http://127.0.0.1:{DEMO_PORT}" if DEMO else "https://purelymail.com",
)
PURELYMAIL_IMAP_URL = env.str(
    "PURELYMAIL_IMAP_URL",
    default=f"imap://127.0.0.1:{DEMO_NEW_PORT}" if DEMO else "imaps://imap.purelymail.com:993",
)

# Name servers to ask, as address or address:port; none means those of this machine
DNS_RESOLVERS = env.list("DNS_RESOLVERS", default=[f"127.0.0.1:{DEMO_DNS_PORT}"] if DEMO else [])

# Keys. In demo mode they are made on first start; otherwise purelymanage.checks refuses weak ones.
_keys = demo_keys(DATA_DIR / "demo-keys.json") if DEMO else {}
PURELYMAIL_API_TOKEN = PURELYMAIL_API_TOKEN or _keys.get("PURELYMAIL_API_TOKEN", "")
SECRET_KEY = env.str("SECRET_KEY", default="") or _keys.get("SECRET_KEY", "")
ENCRYPTION_KEYS = env.list("ENCRYPTION_KEYS", default=[]) or _keys.get("ENCRYPTION_KEYS", [])
AUDIT_KEYS = env.list("AUDIT_KEYS", default=[])

# The site
DEBUG = env.bool("DEBUG", default=False)
BASE_URL = env.str("BASE_URL", default=f"http://127.0.0.1:{PORT}").rstrip("/")
_site = urlsplit(BASE_URL)
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS", default=[_site.hostname or "", "localhost", "127.0.0.1", "[::1]"]
)
CSRF_TRUSTED_ORIGINS = [BASE_URL]
TRUSTED_PROXIES = env.list("TRUSTED_PROXIES", default=[])
ROOT_URLCONF = "purelymanage.urls"
WSGI_APPLICATION = "purelymanage.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "purelymanage.core",
    "purelymanage.ui",
    "purelymanage.purelymail",
    "audit",
    "purelymanage.jobs",
    "accounts",
    "purelymanage.notifications",
    "purelymanage.deletions",
    "domains",
    "mailboxes",
    "routing",
    "migrations_app",
    "purelymanage.dashboard",
    "purelymanage.demo",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "accounts.inspection_config.InspectionConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "django_q",
    "lucide",
    "template_partials",
]

MIDDLEWARE = [
    "purelymanage.core.stack.roomy",
    "purelymanage.core.redaction.RedactionMiddleware",
    "purelymanage.dashboard.health.ProbeMiddleware",
    "purelymanage.core.middleware.ForwardedMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "purelymanage.core.middleware.SecurityHeadersMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.LastSeenMiddleware",
    "purelymanage.core.middleware.ContextMiddleware",
    "accounts.entrance.failures.LimitedMiddleware",
    "purelymanage.ui.middleware.ToastMiddleware",
    "purelymanage.core.uploads.BodyLimitMiddleware",
    "purelymanage.core.middleware.ErrorMiddleware",
    "accounts.middleware.SetupMiddleware",
    "accounts.factors.gate.ConfirmationMiddleware",
    "accounts.factors.gate.SecondFactorMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "purelymanage.ui.context_processors.frame",
            ],
        },
    },
]

# Database: SQLite needs nothing installed; PostgreSQL for production and for a second host
DATABASES = {
    "default": env.db_url("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'purelymanage.sqlite3'}")
}
_database = DATABASES["default"]
if _database["ENGINE"].endswith("sqlite3"):
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    _database["CONN_MAX_AGE"] = 60
    _database["CONN_HEALTH_CHECKS"] = True
    _database["OPTIONS"] = {
        "connect_timeout": 10,
        # A host that freezes or vanishes in a transaction must not keep its locks from the others
        "options": "-c idle_in_transaction_session_timeout=30s",
        **_database.get("OPTIONS", {}),
    }

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},  # with fewer a flood pushes out its own limits
    },
    # What a process notes for itself alone and too often to write it down: a cluster its heartbeat
    "process": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
}

# The queue: a task is only a kick, the row is the truth (docs/adr/0002-queue.md)
SYNC_WORKERS = env.int("SYNC_WORKERS", default=8)
WORKER_HOST = env.str("WORKER_HOST", default="")  # set by the supervisor for what it starts
Q_CLUSTER = {
    "name": "app",
    "orm": "default",
    "workers": 2,
    "timeout": 600,
    "retry": 900,
    "max_attempts": 1,
    "ack_failures": True,
    "catch_up": False,
    "time_zone": "UTC",
    "cache": "process",
    "poll": 0.5,
    "save_limit": -1,
    "recycle": 500,
    "queue_limit": 4,
    "label": "Background tasks",
    "ALT_CLUSTERS": {
        "sync": {
            "workers": SYNC_WORKERS,
            "scheduler": False,
            "poll": 0.2,
            "queue_limit": 1,
            "recycle": 20,
            "timeout": 7 * 86400,
            "retry": 8 * 86400,
        }
    },
}

# Migrations
MIGRATION_CONCURRENCY = env.int("MIGRATION_CONCURRENCY", default=2)
MIGRATION_ENGINE = env.str("MIGRATION_ENGINE", default="auto")
IMAPSYNC_PATH = env.str("IMAPSYNC_PATH", default="imapsync")
IMAP_PORTS = env.list("IMAP_PORTS", cast=int, default=[143, 993])
IMAP_ALLOW_LOCAL = env.bool("IMAP_ALLOW_LOCAL", default=DEMO)
IMAP_CA_FILE = env.str("IMAP_CA_FILE", default="")
LOG_RETENTION_DAYS = env.int("LOG_RETENTION_DAYS", default=90)
JOB_RETENTION_DAYS = env.int("JOB_RETENTION_DAYS", default=365)

# The audit log
AUDIT_RETENTION_DAYS = env.int("AUDIT_RETENTION_DAYS", default=0)
AUDIT_HEAD_MAIL = env.list("AUDIT_HEAD_MAIL", default=[])

# Signing in
AUTH_USER_MODEL = "accounts.User"
SESSION_ENGINE = "accounts.sessions.store"
SESSION_IDLE_MINUTES = env.int("SESSION_IDLE_MINUTES", default=30)
SESSION_MAX_HOURS = env.int("SESSION_MAX_HOURS", default=12)
AUTHENTICATION_BACKENDS = ["accounts.entrance.backends.PanelBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ["email", "name"]},
    },
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "accounts.entrance.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = LOGIN_URL
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "django.contrib.auth.tokens.PasswordResetTokenGenerator"  # noqa: S105  a class, not a password
ACCOUNT_REAUTHENTICATION_TIMEOUT = 15 * 60
RATE_LIMITS = True  # the rates themselves: purelymanage/core/rates.py
# allauth counts wrong passwords and codes itself; around its views stand our own limits
ACCOUNT_RATE_LIMITS = {
    **dict.fromkeys(
        ("login", "reset_password", "reset_password_from_key", "change_password", "reauthenticate")
    ),
    "login_failed": RATES["login_failed"],
}
MFA_RATE_LIMITS = {"webauthn_login": None}
ACCOUNT_FORMS = {
    "login": "accounts.forms.SignInForm",
    "change_password": "accounts.forms.PasswordChangeForm",
    "reset_password": "accounts.forms.PasswordResetForm",
    "reset_password_from_key": "accounts.forms.NewPasswordForm",
}
PASSWORD_RESET_TIMEOUT = 3600
INVITATION_DAYS = env.int("INVITATION_DAYS", default=7)
SECOND_FACTOR_GRACE_DAYS = env.int("SECOND_FACTOR_GRACE_DAYS", default=7)

# Second factors
MFA_ADAPTER = "accounts.factors.adapter.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_ISSUER = "PurelyManage"
MFA_TOTP_TOLERANCE = 1
MFA_WEBAUTHN_USER_VERIFICATION = "required"
MFA_ALLOW_UNVERIFIED_EMAIL = True  # nobody signs up here: an owner has named every address
MFA_FORMS = {
    "authenticate": "accounts.factors.forms.SecondStepForm",
    "authenticate_webauthn": "accounts.factors.forms.SecondStepPasskeyForm",
    "reauthenticate": "accounts.factors.forms.ConfirmForm",
    "reauthenticate_webauthn": "accounts.factors.forms.ConfirmPasskeyForm",
    "login_webauthn": "accounts.factors.forms.SignInPasskeyForm",
    "activate_totp": "accounts.factors.forms.SetUpAppForm",
    "add_webauthn": "accounts.factors.forms.AddPasskeyForm",
    "edit_webauthn": "accounts.factors.forms.RenamePasskeyForm",
}

# Headers and cookies
HTTPS = _site.scheme == "https"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 365 * 86400 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
CSP_REPORT_ONLY = env.bool("CSP_REPORT_ONLY", default=False)
SECURE_REFERRER_POLICY = "same-origin"
# No neighbour under the same domain can plant a cookie whose name begins so
_host_only = "__Host-" if HTTPS else ""
SESSION_COOKIE_NAME = f"{_host_only}sessionid"
CSRF_COOKIE_NAME = f"{_host_only}csrftoken"
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_AGE = SESSION_MAX_HOURS * 3600  # the row ends it earlier, when it is not used
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "purelymanage.dashboard.views.csrf_failure"
X_FRAME_OPTIONS = "DENY"
DEFAULT_EXCEPTION_REPORTER = "purelymanage.core.reports.ErrorReporter"
DEFAULT_EXCEPTION_REPORTER_FILTER = "purelymanage.core.reports.ErrorReportFilter"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# What is sent: held in memory and never written to disk, for lists hold passwords
MAX_BODY = 5 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = FILE_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000  # a page of a list has 50 boxes to tick
DATA_UPLOAD_MAX_NUMBER_FILES = 1
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]

# Files
STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# Mail
EMAIL_TIMEOUT = 20  # seconds; Django would wait for a silent mail server for ever
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="PurelyManage <panel@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
NOTIFY_URLS = env.list("NOTIFY_URLS", default=[])

# Words, dates, numbers
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]  # with more, Django's own words would change and ours would not
USE_I18N = True
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_TZ = True
USE_THOUSAND_SEPARATOR = True
LOCALE_PATHS = [BASE_DIR / "locale"]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "class": "purelymanage.core.redaction.RedactingFormatter",
            "format": "{asctime} {levelname} {name} {message}",
            "style": "{",
        },
    },
    "filters": {"crash": {"()": "django.utils.log.RequireDebugFalse"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line"},
        "mail_admins": {
            "class": "purelymanage.core.reports.CrashMailHandler",
            "formatter": "line",
            "filters": ["crash"],
            "level": "ERROR",
        },
    },
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        # Those that come with handlers of their own lose them: every line passes the redaction
        "django": {"handlers": ["mail_admins"]},
        "django.server": {"handlers": ["console"], "propagate": False},
        "gunicorn.error": {"handlers": ["console"], "propagate": False},
        "gunicorn.access": {"handlers": ["console"], "propagate": False},
        "django-q": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        "urllib3": {"level": "WARNING"},
        "apprise": {"level": "CRITICAL"},  # what it says of an address tells parts of it
    },
}

refuse_unusable(vars())
