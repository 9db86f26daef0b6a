"""The ASGI entry point: `uvicorn portal.asgi:application`."""

import gc
import os

from django.core.asgi import get_asgi_application

from portal.refusals import require_none

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
# Here and not in settings: a worker forks, and a pool's threads and connections would not survive that.
os.environ.setdefault("DATABASE_POOL", "20")
application = get_asgi_application()
require_none()

# What is loaded by now stays: looking through it for garbage would hold up a page for some 80 ms now and then.
gc.collect()
gc.freeze()
