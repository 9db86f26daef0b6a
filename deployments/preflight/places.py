"""The rest: own domain, templates, expert values, pools, and how long the hub stays."""

from __future__ import annotations

from collections.abc import Iterator

from deployments.naming import Names
from deployments.preflight.facts import Check, Facts, Finding, error, warning
from deployments.spec import HubSpec


def _domain(facts: Facts, spec: HubSpec, _names: Names) -> Iterator[Finding]:
    domain = facts.domain
    if not spec.domain or domain is None or domain.state == "ok":
        return
    found = f" It leads to {domain.found} now." if domain.found else ""
    yield warning(
        "domain-missing" if domain.state == "missing" else "domain-elsewhere",
        f"{spec.domain} does not lead to this hub yet.{found}",
        f"Have this record made where the domain is managed: {spec.domain}. CNAME {domain.wanted}. Nothing is built"
        " before it is there: without it the hub gets no certificate.",
        "domain",
    )


def _template(facts: Facts, spec: HubSpec, _names: Names) -> Iterator[Finding]:
    template = facts.template
    if not spec.template_repository or template is None:
        return
    if template.state == "missing":
        yield error(
            "template-missing",
            f"There is no public Git repository at {spec.template_repository}.",
            "Check the address: it must be readable without signing in.",
            "template_repository",
        )
    elif template.state == "unreachable":
        yield warning(
            "template-unreachable",
            f"{spec.template_repository} did not answer just now.",
            "It is tried again before anything is made.",
            "template_repository",
        )
    elif spec.template_branch and spec.template_branch not in template.branches:
        some = ", ".join(template.branches[:5])
        yield error(
            "template-branch",
            f"The template repository has no branch called {spec.template_branch}.",
            f"Choose one it has: {some}." if some else "The repository is empty.",
            "template_branch",
        )


def _overlay(facts: Facts, _spec: HubSpec, _names: Names) -> Iterator[Finding]:
    for problem in facts.overlay:
        yield error("overlay", problem, "Correct the expert values, or leave them empty.", "overlay")


def _pool(_facts: Facts, spec: HubSpec, _names: Names) -> Iterator[Finding]:
    if spec.has_user_pool and spec.user_nodes_min > spec.user_nodes_max:
        yield error(
            "pool-range",
            f"The fewest nodes for sessions ({spec.user_nodes_min}) are more than the most ({spec.user_nodes_max}).",
            "Make the first number the smaller one.",
            "user_nodes_min",
        )
    if spec.has_user_pool and spec.user_nodes_max < 1:
        yield error(
            "pool-empty", "With no node for sessions nobody could work.", "Allow at least one.", "user_nodes_max"
        )


def _chart(facts: Facts, spec: HubSpec, _names: Names) -> Iterator[Finding]:
    if facts.chart_found is False:
        yield error(
            "chart-version",
            f"The chart repository does not have BinderHub {spec.chart_version}.",
            "Choose a version from the list.",
            "chart_version",
        )


def _stay(facts: Facts, spec: HubSpec, _names: Names) -> Iterator[Finding]:
    if facts.today is None:
        return
    days = (spec.keep_until - facts.today).days
    if days < 1:
        yield error("stay-past", "The hub's last day is not in the future.", "Choose a later day.", "keep_until")
    elif facts.longest_days is not None and days > facts.longest_days:
        yield error(
            "stay-too-long",
            f"You may keep a hub for {facts.longest_days} days at most; this is {days}.",
            "Choose an earlier day, or ask an administrator for more.",
            "keep_until",
        )


CHECKS: tuple[Check, ...] = (_domain, _template, _overlay, _pool, _chart, _stay)
