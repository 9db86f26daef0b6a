"""`manage.py restore FILE`: a backup takes the database's place."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection

from deployments.backups import contents, restore
from deployments.backups.refusal import BackupRefused
from deployments.models import Deployment, Operation
from deployments.states import OperationStatus


class Command(BaseCommand):
    help = "Puts a backup in the place of everything in the database. Stop web, workers and scheduler first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="what `manage.py backup` has made")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = contents(options["file"])
            if not options["yes"]:
                self._ask(options["file"])
            restore(options["file"])
        except BackupRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        if found.older and not found.newer:
            self.stdout.write(f"It was brought to this version: {', '.join(found.older)}.")
        running = Operation.objects.filter(status=OperationStatus.RUNNING).count()
        self.stdout.write(
            f"Restored: {Deployment.objects.count()} hubs, {running} runs under way. Start the portal again: workers "
            "go on with those runs from what they find in Azure. docs/backup.md says what to look at now."
        )

    def _ask(self, file: Path) -> None:
        """Asks whoever sits at the terminal.

        :raises CommandError: the answer is not yes, or nobody sits there.
        """
        if not sys.stdin.isatty():
            raise CommandError("This replaces everything in the database. Say --yes if that is what you want.")
        self.stdout.write(f"{file} takes the place of everything in the database ({_size()}).")
        if input("Type yes to go on: ").strip().lower() != "yes":
            raise CommandError("Nothing was changed.")


def _size() -> str:
    """How much there is to lose."""
    try:
        return f"{connection.settings_dict['NAME']}: {Deployment.objects.count()} hubs"
    except DatabaseError:
        return f"{connection.settings_dict['NAME']}: empty"
