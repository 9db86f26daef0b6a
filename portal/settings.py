"""Django settings, all from the environment (docs/operating.md has the table). No debug mode, no default key."""

from __future__ import annotations

from pathlib import Path

from csp.constants import NONCE, NONE, SELF

from portal import environment as env
from portal import logs

BASE_DIR = Path(__file__).resolve().parent.parent
SLIPWAY_HOME = Path(env.text("SLIPWAY_HOME", str(BASE_DIR / "var"))).absolute()

SECRET_KEY = env.text("SECRET_KEY")
DEBUG = False
ALLOWED_HOSTS = env.items("ALLOWED_HOSTS", "localhost,127.0.0.1")
CSRF_TRUSTED_ORIGINS = env.items("CSRF_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    "portal",
    "accounts",
    "deployments",
    "worker",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_htmx",
    "django_rq",
    "axes",
    "csp",
]
MIDDLEWARE = [
    "portal.access.AccessMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "portal.access.browser_policies",
    "portal.static_files.StaticFilesMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
    "portal.queue_pages.queue_pages",
    "portal.access.UserMiddleware",
]
ROOT_URLCONF = "portal.urls"
ASGI_APPLICATION = "portal.asgi.application"
WSGI_APPLICATION = "portal.wsgi.application"
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
                "csp.context_processors.nonce",
            ],
        },
    }
]

DATABASES = {
    "default": env.database(
        env.text("DATABASE_URL", f"sqlite:///{SLIPWAY_HOME}/slipway.sqlite3"), int(env.number("DATABASE_POOL", "0"))
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.text("REDIS_URL", f"unix://{SLIPWAY_HOME}/valkey/valkey.sock")
RQ_QUEUES = {
    name: {"URL": REDIS_URL, "DEFAULT_TIMEOUT": 600, "SERIALIZER": "rq.serializers.JSONSerializer"}
    for name in ("operations", "chores")
}
RQ_EXCEPTION_HANDLERS = ["worker.jobs.on_exception"]

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "deployments:mine"
LOGOUT_REDIRECT_URL = "login"
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_ENABLE_ACCESS_FAILURE_LOG = False
AXES_VERBOSE = False
AXES_LOCKOUT_TEMPLATE = "registration/locked.html"

LANGUAGE_CODE = "en-gb"
TIME_ZONE = env.text("TIME_ZONE", "UTC")
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True

# Plain HTTP only where a person runs everything on one machine and says so.
INSECURE_HTTP = env.flag("SLIPWAY_INSECURE_HTTP")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not INSECURE_HTTP
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME = env.text("SESSION_COOKIE_NAME", "slipway_session")
SECURE_SSL_REDIRECT = not INSECURE_HTTP
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]
SECURE_HSTS_SECONDS = 0 if INSECURE_HTTP else 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not INSECURE_HTTP
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.flag("BEHIND_TLS_PROXY") else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

#: Who may read /metrics: whoever brings this token, or, without one, these networks when nothing stands in between.
METRICS_TOKEN = env.text("METRICS_TOKEN", "")
METRICS_NETWORKS = env.items("METRICS_NETWORKS", "127.0.0.0/8,::1/128")
#: A simulated cloud behind a portal that others can reach: only where somebody says so.
SLIPWAY_ALLOW_SANDBOX = env.flag("SLIPWAY_ALLOW_SANDBOX")

HELM_BINARY = env.text("HELM_BINARY", str(SLIPWAY_HOME / "bin" / "helm"))
#: How long a Helm that nobody on this machine sees may still be at work on another one, in seconds.
SLIPWAY_HELM_STUCK_SECONDS = env.number("SLIPWAY_HELM_STUCK_SECONDS", "10")
#: Regions offered on the form; "" offers every physical region the subscription has.
SLIPWAY_REGIONS = env.items("SLIPWAY_REGIONS")
#: Shortest time between two looks at something that changes, in seconds; it grows while nothing happens.
SLIPWAY_POLL_SECONDS = env.number("SLIPWAY_POLL_SECONDS", "1")
#: A lease not renewed for so long belongs to a dead worker, in seconds.
SLIPWAY_LEASE_SECONDS = env.number("SLIPWAY_LEASE_SECONDS", "12")
#: Azure's list by tag lags behind; what it still shows after a teardown is looked at again for so long, in seconds.
SLIPWAY_LIST_LAG_SECONDS = env.number("SLIPWAY_LIST_LAG_SECONDS", "60")
#: What Azure has told of a subscription or region while one hub was checked serves others for so long, in seconds.
SLIPWAY_SHARED_SECONDS = env.number("SLIPWAY_SHARED_SECONDS", "20")
#: Requests that Azure Resource Manager takes for one subscription: so many at once, and so many a second for ever.
SLIPWAY_AZURE_READS = env.text("SLIPWAY_AZURE_READS", "250/25")
SLIPWAY_AZURE_WRITES = env.text("SLIPWAY_AZURE_WRITES", "200/10")
SLIPWAY_AZURE_DELETES = env.text("SLIPWAY_AZURE_DELETES", "200/10")
#: The catalogue's entries are fetched anew when older, in seconds.
SLIPWAY_CATALOGUE_SECONDS = env.number("SLIPWAY_CATALOGUE_SECONDS", "900")

#: A hub that serves is asked so often whether it is well, in seconds.
SLIPWAY_HEALTH_SECONDS = env.number("SLIPWAY_HEALTH_SECONDS", "300")
#: The cloud is compared with our records so often, in seconds.
SLIPWAY_SURVEY_SECONDS = env.number("SLIPWAY_SURVEY_SECONDS", "3600")
#: Logs of runs that ended so many days ago are packed into archives; 0: never.
SLIPWAY_LOG_DAYS = env.number("SLIPWAY_LOG_DAYS", "60")
#: Where people reach the portal: the links in letters begin with it.
SLIPWAY_ADDRESS = env.text("SLIPWAY_ADDRESS", "http://127.0.0.1:8000/")

# Without a mail server every letter becomes a file.
EMAIL_HOST = env.text("EMAIL_HOST", "")
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'filebased'}.EmailBackend"
EMAIL_FILE_PATH = SLIPWAY_HOME / "mail"
EMAIL_PORT = int(env.number("EMAIL_PORT", "587"))
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_USER", ""), env.text("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_SSL = EMAIL_PORT == 465
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", default=not EMAIL_USE_SSL)
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", "Slipway <slipway@localhost>")

LOGGING = logs.configuration(env.text("LOG_LEVEL", "INFO"), env.text("LOG_FORMAT", "line"))
