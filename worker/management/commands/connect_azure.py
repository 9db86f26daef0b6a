"""`manage.py connect_azure`: what a real subscription needs for Slipway, told; or made, with --apply."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from cloud.azure.session import AzureSession
from cloud.errors import SlipwayError
from deployments import outside
from deployments.roles import ROLES, Role
from worker.connect import planning
from worker.connect.parts import Part, Standing, Wanted

HELP = """Tells the least rights that the portal's two identities need, and everything else that must be in Azure. By
default nothing is asked and nothing changed; --check looks what is missing; --apply makes it, as often as you like.
Both sign in as you: with `az login`, or with AZURE_CLIENT_ID and AZURE_CLIENT_SECRET. See docs/azure.md."""
WAIT = "Azure needs up to ten minutes until new rights are known everywhere. Then: manage.py doctor."

#: How what was not as it should be is told once it is.
MADE = {Standing.ABSENT: "made", Standing.DIFFERENT: "changed"}


class Command(BaseCommand):
    help = HELP
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--subscription", action="append", required=True, help="where hubs may be; repeat for more")
        parser.add_argument("--web", required=True, help="object id of the web process's identity")
        parser.add_argument("--worker", required=True, help="object id of the workers' identity")
        parser.add_argument("--vault", required=True, help="name of the portal's vault, unique in the world")
        parser.add_argument("--group", default="slipway-portal", help="resource group of the vault (%(default)s)")
        parser.add_argument("--region", required=True, help="region of the vault, such as uksouth")
        parser.add_argument("--tenant", default=os.environ.get("AZURE_TENANT_ID"), help="default: AZURE_TENANT_ID")
        parser.add_argument(
            "--purge-protection",
            action="store_true",
            help="nobody can purge a deleted secret before its days are over: receipts then say until when it is kept."
            " It can never be switched off again",
        )
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--check", action="store_true", help="say what is missing; exit status 1 when something is")
        how.add_argument("--apply", action="store_true", help="make what is missing")
        how.add_argument("--write", type=Path, metavar="FOLDER", help="write a script and its files, to send to IT")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = _wanted(options)
        found = planning.parts(wanted)
        try:
            if options["check"]:
                return self._check(found)
            if options["apply"]:
                return self._apply(found, wanted)
        except SlipwayError as error:
            raise CommandError(str(error)) from error
        if options["write"]:
            return self._write(found, options["write"])
        return self._tell(found, wanted)

    def _tell(self, found: list[Part], wanted: Wanted) -> None:
        """Everything that would be made, so that a person can read and decide."""
        self._say("What Slipway needs in Azure. Nothing was asked, nothing changed: --check looks, --apply makes it.\n")
        for role in ROLES.values():
            self._say(_role_text(role, wanted))
        self._say("As commands of the Azure CLI (--write FOLDER puts them into a script, with the files they read):\n")
        for part in found:
            self._say(f"  # {part.title}\n  {part.command()}\n")
        self._say(_settings(wanted))

    def _check(self, found: list[Part]) -> None:
        az = _signed_in()
        standings = [(part, part.standing(az)) for part in found]
        for part, standing in standings:
            self._say(f"  {standing:<14} {part.title}")
        lacking = sum(standing in MADE for _, standing in standings)
        if lacking:
            raise CommandError(f"{lacking} of {len(found)} are not as they should be. --apply makes them so.")
        self._say("All is as it should be.")

    def _apply(self, found: list[Part], wanted: Wanted) -> None:
        az = _signed_in()
        for part in found:
            standing = part.standing(az)
            if standing in MADE:
                part.make(az)
            self._say(f"  {MADE.get(standing, standing.value):<14} {part.title}")
        self._say(f"\n{_settings(wanted)}\n{WAIT}")

    def _write(self, found: list[Part], folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        files = planning.files(found)
        for name, text in files.items():
            (folder / name).write_text(text)
        (folder / "connect.sh").chmod(0o755)
        self._say(f"Written to {folder}: {', '.join(sorted(files))}. Whoever owns the subscription runs connect.sh.")

    def _say(self, text: str) -> None:
        self.stdout.write(f"{text}\n")


def _wanted(options: dict[str, Any]) -> Wanted:
    if not options["tenant"]:
        raise CommandError("Name the tenant: --tenant, or AZURE_TENANT_ID.")
    guids = {"--web": [options["web"]], "--worker": [options["worker"]], "--subscription": options["subscription"]}
    for option, values in guids.items():
        for value in values:
            _require_guid(option, value)
    if options["web"].lower() == options["worker"].lower():
        raise CommandError("Web and worker must be two identities: the web's may never read what people typed.")
    subscriptions = tuple(dict.fromkeys(each.lower() for each in options["subscription"]))
    return Wanted(
        tenant=options["tenant"],
        subscriptions=subscriptions,
        web=options["web"].lower(),
        worker=options["worker"].lower(),
        vault=options["vault"],
        vault_group=options["group"],
        region=options["region"],
        purge_protection=options["purge_protection"],
    )


def _require_guid(option: str, value: str) -> None:
    try:
        uuid.UUID(value)
    except ValueError:
        raise CommandError(
            f"{option} {value} is no id. An identity's object id: az ad sp show --id <client id> --query id"
        ) from None


def _signed_in() -> AzureSession:
    return AzureSession.from_environment(outside.profile(), os.environ)


def _role_text(role: Role, wanted: Wanted) -> str:
    lines = [f"  Role “{role.name(wanted.vault)}”: {role.description}."]
    rights = {**role.actions, **role.data_actions}
    width = max(map(len, rights))
    lines += [f"      {action:<{width}}  {why}" for action, why in sorted(rights.items())]
    if role.condition:
        lines += ["      Bound by a condition: the one role it gives is AcrPull, and only to programs' identities."]
    return "\n".join([*lines, ""])


def _settings(wanted: Wanted) -> str:
    address = outside.profile().vault_url(wanted.vault)
    return f"For .env:\n  AZURE_TENANT_ID={wanted.tenant}\n  AZURE_KEY_VAULT_URL={address}"
