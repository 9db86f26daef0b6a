"""The WSGI entry point; the live log needs ASGI, so prefer `portal.asgi`."""

import os

from django.core.wsgi import get_wsgi_application

from portal.refusals import require_none

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
application = get_wsgi_application()
require_none()
