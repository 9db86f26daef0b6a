"""The hub's name: a domain of one's own leads to it, and what it shows there is a certificate that browsers trust."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass

from django.utils.formats import date_format

from cloud import certificates, dns
from cloud.kubernetes import Pod
from deployments import outside
from deployments.certificates import keep
from deployments.spec import HubSpec
from worker.hub import HubContext
from worker.step import Found, Step
from worker.steps.cluster import InCluster

DAY = 24 * 3600
TRAEFIK, CONTAINER = "autohttps-", "traefik"
COMPLAINT = "unable to obtain acme certificate"
#: What the authority says, between its code and what Traefik adds.
WORDS = re.compile(r'urn:ietf:params:acme:error:\w+ :: (.+?)(?:, url:|\\n|"?\s*providerName=|$)')
#: Traefik asks once and never again: how old its pod must be before the first, second … restart after a complaint, and
#: when it has said nothing at all. The authority allows five failures an hour.
PAUSES = (0.0, 60.0, 300.0, 900.0, 1800.0)
SILENT = 900.0


class Domain(Step[HubContext]):
    """Waits for a record that somebody else makes. Nothing is built meanwhile, so that nothing costs."""

    name, title, after, expected, deadline = "domain", "Your own domain", ("preflight",), 0, 3 * DAY

    def concerns(self, spec: HubSpec) -> bool:
        return bool(spec.domain)

    def check(self, ctx: HubContext) -> Found:
        domain, wanted = ctx.spec.domain, outside.record_name(ctx.spec, ctx.names)
        lead = dns.leads_to(ctx.profile, domain, wanted)
        if lead.state == "ok":
            return Found.ready(f"{domain} leads to {wanted}")
        now = "does not exist yet" if lead.state == "missing" else f"leads to {lead.found} now"
        record = outside.record(ctx.spec, ctx.names)
        return Found.changing(f"{domain} {now}. Waiting for somebody to make this record: {record}")


@dataclass(frozen=True)
class Restarts:
    """How often the pod that asks for the certificate was started anew, and which one went last."""

    count: int = 0
    pod: str = ""


class Certificate(InCluster):
    """The hub's own Traefik gets it from Let's Encrypt as soon as its name leads to it."""

    name, title, after = "certificate", "HTTPS certificate", ("address", "workloads")
    expected, deadline = 30, 90 * 60

    def concerns(self, spec: HubSpec) -> bool:
        return outside.profile().hub_https

    def look(self, ctx: HubContext) -> Found:
        seen = certificates.look(ctx.address, ctx.profile.ca_bundle)
        keep(ctx.deployment_id, seen, ctx.now())
        if seen.state == "ok":
            until = f", valid until {date_format(seen.until, 'j F Y')}" if seen.until else ""
            return Found.ready(f"given by {seen.issuer or 'an authority that browsers trust'}{until}")
        pod = next((each for each in ctx.kubernetes().pods(ctx.names.namespace) if _asks(each)), None)
        if pod is None or pod.name == _restarts(ctx).pod:
            return Found.changing("the part of the hub that asks for it is starting")
        complaint = self._complaint(ctx, pod)
        if not self._is_time(ctx, pod, complaint):
            return Found.changing(f"refused so far: {complaint}" if complaint else "asking for it")
        ctx.cache["restart"] = (pod.name, complaint or "nobody answered")
        return Found.drifted("it was not given out")

    def apply(self, ctx: HubContext) -> None:
        pod, complaint = ctx.cache.pop("restart")
        ctx.hold()
        # Noted afterwards: noted before, a request that came to nothing would leave the step waiting for a new pod.
        ctx.kubernetes().delete_pod(ctx.names.namespace, pod)
        ctx.keep_token(json.dumps(asdict(Restarts(_restarts(ctx).count + 1, pod))))
        ctx.log(f"The certificate was not given out ({complaint}). The hub asks for it again.")

    @staticmethod
    def _complaint(ctx: HubContext, pod: Pod) -> str:
        """The last refusal that Traefik printed, in the authority's own words."""
        lines = ctx.kubernetes().pod_log(ctx.names.namespace, pod.name, container=CONTAINER)
        refused = [line for line in lines if COMPLAINT in line.lower()]
        if not refused:
            return ""
        told = WORDS.search(refused[-1])
        return (told[1] if told else refused[-1])[:240]

    @staticmethod
    def _is_time(ctx: HubContext, pod: Pod, complaint: str) -> bool:
        age = (ctx.now() - pod.created).total_seconds() if pod.created else 0.0
        pause = PAUSES[min(_restarts(ctx).count, len(PAUSES) - 1)] if complaint else SILENT
        return age >= pause


def _asks(pod: Pod) -> bool:
    return pod.name.startswith(TRAEFIK) and pod.phase == "Running"


def _restarts(ctx: HubContext) -> Restarts:
    return Restarts(**json.loads(ctx.run.token)) if ctx.run.token else Restarts()
