"""Amounts and times as people say them. Pure."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal

#: A hub's last day is near from so many days before it.
SOON = 7
SECRETS = {
    "docker-token": "Registry access token",
    "github-secret": "GitHub client secret",
    "registry-token": "Password of the registry in Azure",
    "private-token": "GitHub token for private repositories",
    "hub-tokens": "Tokens by which the hub's parts know one another",
}
#: Where the chart's changes between two commits can be read.
CHANGES = "https://github.com/jupyterhub/binderhub/compare"
COMMIT = re.compile(r"\.h([0-9a-f]{7,40})$")
SIGNS = {"GBP": "£", "EUR": "€", "USD": "$"}


def money(amount: Decimal | None, currency: str) -> str:
    """`£12.30`; `12.30 CHF` for a currency without a sign of its own; a dash while nobody knows."""
    if amount is None:
        return "–"
    figures = f"{amount:,.2f}"
    return f"{SIGNS[currency]}{figures}" if currency in SIGNS else f"{figures} {currency}"


def span(length: timedelta | float | None) -> str:
    """`under 1 s`, `45 s`, `4 min 10 s`, `2 h 5 min`, `3 days`."""
    if length is None:
        return ""
    seconds = max(0, int(length.total_seconds() if isinstance(length, timedelta) else length))
    if seconds < 60:
        return f"{seconds} s" if seconds else "under 1 s"
    if seconds < 3600:
        minutes, rest = divmod(seconds, 60)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    if seconds < 86_400:
        hours, rest = divmod(seconds // 60, 60)
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    days = seconds // 86_400
    return "1 day" if days == 1 else f"{days} days"


def ago(moment: datetime, now: datetime) -> str:
    """`just now`, `3 min ago`, `2 h ago`, `yesterday`, `5 days ago`."""
    seconds = (now - moment).total_seconds()
    if seconds < 45:
        return "just now"
    if seconds < 3600:
        return f"{max(1, round(seconds / 60))} min ago"
    if seconds < 86_400:
        return f"{round(seconds / 3600)} h ago"
    days = int(seconds // 86_400)
    return "yesterday" if days == 1 else f"{days} days ago"


def urgency(days: int) -> str:
    """How pressing a last day is, as a class of the style sheet."""
    if days < 0:
        return "over"
    return "soon" if days <= SOON else ""


def secret_name(purpose: str) -> str:
    """What a person calls the secret that the vault keeps for this purpose."""
    return SECRETS.get(purpose, purpose.replace("-", " ").capitalize())


def days_left(days: int) -> str:
    """`12 days left`, `today is the last day`, `3 days over`."""
    if days < 0:
        return f"{-days} day{'' if days == -1 else 's'} over"
    return "last day today" if days == 0 else f"{days} day{'' if days == 1 else 's'} left"


def chart_version(version: str) -> str:
    """A version of the chart as its makers write it; what stands behind a plus sign only marks a build."""
    return version.partition("+")[0]


def changes_between(before: str, after: str) -> str:
    """The page that lists every change from one version of the chart to another; "" where they name no commits."""
    found = [COMMIT.search(chart_version(version)) for version in (before, after)]
    commits = [match[1] for match in found if match]
    return f"{CHANGES}/{commits[0]}...{commits[1]}" if len(commits) == 2 else ""
