"""The ASGI entry point: `uvicorn portal.asgi:application`."""

import os

from django.core.asgi import get_asgi_application

from portal.refusals import require_none

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
application = get_asgi_application()
require_none()
