"""`manage.py backup FILE`: the whole database in one file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from deployments.backups import back_up
from deployments.backups.refusal import BackupRefused


class Command(BaseCommand):
    help = "Writes the whole database into one new file. The portal may go on meanwhile. Secrets are in the vault only."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="a file that does not exist yet")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            size = back_up(options["file"])
        except BackupRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        told = f"{options['file']}: {size / 1024 / 1024:.1f} MiB."
        self.stdout.write(f"{told} Keep the secret key and the vault safe too: docs/backup.md.")
