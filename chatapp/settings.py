"""The environment (and a `.env` file beside manage.py) in → Django's settings out.

Every variable is explained in `.env.example`.
"""

from pathlib import Path

from chatapp import environment
from chatapp.logs import FORMATS, NoProbes
from chatapp.secret_key import local_secret_key

BASE_DIR = Path(__file__).resolve().parent.parent

environment.read_file(BASE_DIR / ".env")

DEBUG = environment.switch("DEBUG", default=False)
DEMO = environment.switch("DEMO", default=False)
HTTPS = environment.switch("HTTPS", default=not (DEBUG or DEMO))

# Commands work without a key of their own; serving in production without one does not (checks.py).
SECRET_KEY = environment.text("SECRET_KEY")
HAS_OWN_SECRET_KEY = bool(SECRET_KEY)
SECRET_KEY = SECRET_KEY or local_secret_key(BASE_DIR / ".secret_key")
SECRET_KEY_FALLBACKS = environment.words("SECRET_KEY_FALLBACKS")

ALLOWED_HOSTS = environment.hosts("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = environment.origins("CSRF_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    "chatapp",  # first, so that its commands and templates stand before Django's
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "axes",
]

MIDDLEWARE = [
    "chatapp.serving.middleware.request_id",
    "chatapp.serving.middleware.for_machines",
    "chatapp.serving.middleware.security_headers",  # before what may refuse a request
    "django.middleware.security.SecurityMiddleware",
    "chatapp.serving.middleware.StaticFiles",
    "chatapp.serving.middleware.preferences",
    "django.middleware.locale.LocaleMiddleware",
    "chatapp.serving.middleware.bounded_body",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "chatapp.urls"
ASGI_APPLICATION = "chatapp.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

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
            ],
        },
    },
]

# The demo's people and endpoints are nobody else's.
_file = BASE_DIR / ("demo.sqlite3" if DEMO else "db.sqlite3")
_database = environment.database("DATABASE_URL", default=_file)
DATABASES = {"default": _database}
_database["CONN_HEALTH_CHECKS"] = True
if _database["ENGINE"] == "django.db.backends.sqlite3":
    # IMMEDIATE takes the write lock at once and waits for it; the default, a lock taken halfway
    # through, fails at once under concurrent writers whatever the timeout says.
    _database["CONN_MAX_AGE"] = None
    _database.setdefault("OPTIONS", {})
    _database["OPTIONS"] |= {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=20000;"
        ),
    }
elif _database["ENGINE"] == "django.db.backends.postgresql":
    _database["CONN_MAX_AGE"] = 0
    _database.setdefault("OPTIONS", {})
    # A process that stands still, or whose machine went, within a transaction would keep its rows
    # locked, and nobody could end its replies. This is shorter than a lease.
    _database["OPTIONS"].setdefault("options", "-c idle_in_transaction_session_timeout=10s")
    # A server that vanished without a word is given up before a lease runs out, and one that is
    # back is found at once.
    _database["OPTIONS"].setdefault("connect_timeout", 5)
    _database["OPTIONS"].setdefault("tcp_user_timeout", 5000)
    _database["OPTIONS"]["pool"] = {
        "reconnect_timeout": 5,
        "min_size": 1,
        "max_size": environment.whole("DATABASE_POOL", 12, least=1, most=1000),
        "timeout": 20,
    }

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"

AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_TEMPLATE = "locked_out.html"
AXES_VERBOSE = False
AXES_RESET_ON_SUCCESS = True
# What is tried while it is locked is not heard, and counts for nothing.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_CLIENT_IP_CALLABLE = "chatapp.oversight.sign_ins.place"
AXES_HANDLER = "chatapp.oversight.sign_ins.Locks"

SESSION_ENGINE = "chatapp.sessions"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_USE_SESSIONS = True
CSRF_FAILURE_VIEW = "chatapp.views.csrf.refuse"

SESSION_COOKIE_SECURE = HTTPS
if HTTPS:
    SESSION_COOKIE_NAME = "__Host-sessionid"
    SECURE_HSTS_SECONDS = environment.whole("HSTS_SECONDS", 3600)
TRUST_PROXY = environment.switch("TRUST_PROXY", default=False)
TRUSTED_PROXIES = environment.whole("TRUSTED_PROXIES", 1, most=20) if TRUST_PROXY else 0
if TRUST_PROXY:
    # Without the proxy's word every request looks like http, and a redirect would never end.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# The longest message, each character percent-encoded as four bytes.
DATA_UPLOAD_MAX_MEMORY_SIZE = 512 * 1024
# Lists of endpoints and of rights are saved whole.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
FILE_UPLOAD_HANDLERS = ["chatapp.serving.uploads.Bounded"]

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "chatapp.serving.bundles.Bundles",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]  # each in its own words
LANGUAGE_COOKIE_NAME = "language"
LOCALE_PATHS = [BASE_DIR / "chatapp" / "locale"]
FORMAT_MODULE_PATH = "chatapp.formats"
TIME_ZONE = "UTC"
USE_TZ = True

LOG_FORMAT = environment.one_of("LOG_FORMAT", FORMATS, "text" if DEBUG or DEMO else "json")
LOG_LEVEL = environment.one_of(
    "LOG_LEVEL", ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], "INFO"
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": FORMATS[LOG_FORMAT],
            "secrets": [SECRET_KEY, *SECRET_KEY_FALLBACKS],
            "tells_all": DEBUG,
        }
    },
    "filters": {"no-probes": {"()": NoProbes}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        # Below WARNING these print requests with their headers, and so the keys.
        name: {"level": "WARNING"}
        for name in ("httpx2", "httpcore2", "aiohttp", "asyncio", "daphne", "axes")
    }
    # Django's own handlers would print, and mail, what ours leaves out.
    | {"django": {}, "django.server": {"propagate": True}}
    | {"django.request": {"filters": ["no-probes"]}},
}

# One person tries everything out in a demo, in several tabs.
LIMIT_PROMPTS_A_MINUTE = environment.limit("LIMIT_PROMPTS_A_MINUTE", 60 if DEMO else 10)
LIMIT_PARALLEL_REPLIES = environment.limit("LIMIT_PARALLEL_REPLIES", 10 if DEMO else 2)
LIMIT_TOKENS_A_DAY = environment.limit("LIMIT_TOKENS_A_DAY")
LIMIT_TOKENS_A_MONTH = environment.limit("LIMIT_TOKENS_A_MONTH")
LIMIT_SERVICE_TOKENS_A_MONTH = environment.limit("LIMIT_SERVICE_TOKENS_A_MONTH")
LIMIT_RESERVED_TOKENS = environment.whole("LIMIT_RESERVED_TOKENS", 4096)
LIMIT_SOCKETS_A_PERSON = environment.limit("LIMIT_SOCKETS_A_PERSON", 10)
LIMIT_SOCKETS_A_PROCESS = environment.limit("LIMIT_SOCKETS_A_PROCESS", 500)

PORT = environment.whole("PORT", 8000, least=1, most=65535)
DEMO_MODEL_PORT = environment.whole("DEMO_MODEL_PORT", 8990, least=1, most=65535)
UPSTREAM_ALLOWED_HOSTS = environment.words("UPSTREAM_ALLOWED_HOSTS")
MAX_PROMPT_CHARS = 32_000
ADMIN_READS_CONVERSATIONS = environment.switch("ADMIN_READS_CONVERSATIONS", default=True)
DRAIN_SECONDS = environment.seconds("DRAIN_SECONDS", 8, most=3600)
REDIS_URL = environment.redis_url("REDIS_URL")
WEB_CONCURRENCY = environment.whole("WEB_CONCURRENCY", 1, least=1, most=1000)
RETENTION_DAYS = environment.whole("RETENTION_DAYS", 0, most=36500, of="days")
DELETED_GRACE_DAYS = environment.whole("DELETED_GRACE_DAYS", 30, most=36500, of="days")
BUILD = environment.text("BUILD")
METRICS_NETWORKS = environment.networks("METRICS_NETWORKS", ["127.0.0.0/8", "::1"])
METRICS_TOKEN = environment.text("METRICS_TOKEN")
FAILPOINTS = environment.words("FAILPOINTS")
