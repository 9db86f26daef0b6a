"""The ASGI entry point: `uvicorn portal.asgi:application`."""

import os
import signal
import threading
from types import FrameType

from django.core.asgi import get_asgi_application

from portal.refusals import require_none

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
application = get_asgi_application()
require_none()

#: Beyond the seconds in which open pages are let go (seconds).
LONGEST_GOODBYE = 15.0


def _stop_in_time() -> None:
    """Ends the process when it has not ended so long after it was told to: a thread that hangs must not hold it up."""
    told = signal.getsignal(signal.SIGTERM)

    def stop(number: int, frame: FrameType | None) -> None:
        last = threading.Timer(LONGEST_GOODBYE, os._exit, (0,))
        last.daemon = True
        last.start()
        if callable(told):
            told(number, frame)
        else:
            os._exit(0)

    signal.signal(signal.SIGTERM, stop)


# The server has set its own way to stop before it loads this; elsewhere (tests in a thread) nothing is to be stopped.
if threading.current_thread() is threading.main_thread() and callable(signal.getsignal(signal.SIGTERM)):
    _stop_in_time()
