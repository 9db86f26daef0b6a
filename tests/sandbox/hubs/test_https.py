"""Hubs with HTTPS: Traefik in their `autohttps` pod, and the authority that it asks."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from sandbox.registries.addresses import ip_of
from tests.sandbox.hubs.hub import Body, Hub, until

Install = Callable[..., Hub]


@pytest.fixture
def secure(install: Install) -> Callable[..., Hub]:
    """A hub with HTTPS for these names; its own address where none are given."""

    def made(*hosts: str) -> Hub:
        hub = install(wait="")
        hub.install(with_https(hub, *hosts))
        return hub

    return made


def with_https(hub: Hub, *hosts: str) -> Body:
    https = {"enabled": True, "hosts": list(hosts or [hub.address]), "letsencrypt": {"contactEmail": "a@example.org"}}
    url = f"https://{hub.address}:{hub.cluster.sandbox.hub_port}/"
    binder = {"hub_url": url, "hub_url_local": "http://proxy-http:8000/"}
    return {"config": {"BinderHub": binder}, "jupyterhub": {"proxy": {"https": https}}}


def answer(hub: Hub, address: str = "") -> str:
    """What a browser that trusts the authority meets: the status of the binder's page, or why it stays away."""
    url = f"https://{address or hub.address}:{hub.cluster.sandbox.hub_port}/services/binder/versions"
    try:
        return str(httpx.get(url, verify=hub.cluster.trust).status_code)
    except httpx.TransportError as error:
        return str(error)


def said(hub: Hub) -> str:
    """What Traefik has printed."""
    pods = hub.pods("autohttps")
    logs = [hub.cluster._ask("GET", f"{hub.name}/pods/{pod['metadata']['name']}/log?container=traefik") for pod in pods]
    return "\n".join(log.text for log in logs if log.status_code == 200)


def restart(hub: Hub) -> None:
    for pod in hub.pods("autohttps"):
        hub.cluster._ask("DELETE", f"{hub.name}/pods/{pod['metadata']['name']}")


def test_a_hub_with_https_gets_a_certificate_for_its_names_and_speaks_nothing_else(secure: Callable[..., Hub]) -> None:
    hub = secure()
    until(lambda: answer(hub) == "200", "the certificate is there")
    shown = ssl.get_server_certificate((hub.address, hub.cluster.sandbox.hub_port))
    assert shown.startswith("-----BEGIN CERTIFICATE-----")
    assert hub.status("services/binder/versions") == 0  # plain HTTP


def test_without_a_name_that_leads_here_there_is_only_a_certificate_that_nobody_trusts(
    secure: Callable[..., Hub],
) -> None:
    hub = secure("nobody.example.org")
    until(lambda: "DNS problem: NXDOMAIN looking up A for nobody.example.org" in said(hub), "Traefik says why")
    assert "CERTIFICATE_VERIFY_FAILED" in answer(hub)


def test_a_name_that_leads_to_another_hub_is_refused(secure: Callable[..., Hub], good: Hub) -> None:
    name = "another.example.org"
    control(good, "dns/records", {"name": name, "type": "CNAME", "value": f"{good.name}.uksouth.cloudapp.azure.com"})
    hub = secure(name)
    until(lambda: "Invalid response from http://another.example.org" in said(hub), "Traefik says why")


def test_traefik_asks_once_and_again_only_in_a_new_pod(secure: Callable[..., Hub], good: Hub) -> None:
    control(good, "hubs/certificates", {"refusals": 1})
    hub = secure()
    until(lambda: "Service busy; retry later" in said(hub), "the authority refuses")
    assert "CERTIFICATE_VERIFY_FAILED" in answer(hub)
    restart(hub)
    until(lambda: answer(hub) == "200", "the certificate is there")


def test_a_domain_leads_to_the_hub_that_its_record_names(secure: Callable[..., Hub], good: Hub) -> None:
    name = "course.example.org"
    hub = secure(ip_of(name))
    until(lambda: "NXDOMAIN" in said(hub), "the name does not lead here yet")
    control(good, "dns/records", {"name": name, "type": "CNAME", "value": f"{hub.name}.uksouth.cloudapp.azure.com"})
    until(lambda: "CERTIFICATE_VERIFY_FAILED" in answer(hub, ip_of(name)), "the name leads here")
    restart(hub)
    until(lambda: answer(hub, ip_of(name)) == "200", "the certificate is there")


def control(hub: Hub, path: str, content: Any) -> None:
    hub.cluster.sandbox.control(path, content)
