"""`manage.py doctor`: is this installation well, and if not, what is to be done."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from deployments import outside
from worker.doctor import asking, azure, here
from worker.doctor.findings import Finding, looked

MARKS = {"ok": "ok", "note": "·", "warning": "!", "error": "ERROR"}


class Command(BaseCommand):
    help = "Looks at everything an installation needs, tells what to mend; exit status 1 when something is broken."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON list, for programs")
        parser.add_argument("--here", action="store_true", help="this is a worker's place: look by itself, ask nobody")
        parser.add_argument("--patience", type=float, default=90.0, help="seconds to wait for a worker's answer")

    def handle(self, *args: Any, **options: Any) -> None:
        found = [finding for part, look in here.looks().items() for finding in looked(part, look)]
        found += asking.examine("") if options["here"] else self._both(options["patience"])
        if options["json"]:
            self.stdout.write(json.dumps([finding.as_dict() for finding in found], indent=2, ensure_ascii=False))
        else:
            self._tell(found)
        if any(finding.level == "error" for finding in found):
            raise SystemExit(1)

    def _both(self, patience: float) -> list[Finding]:
        """The web's identity here, the worker's wherever one runs."""
        probe = azure.new_probe()
        mine = looked("web's identity", lambda: azure.of_web(outside.vault(), probe))
        stored = not any(finding.level == "error" for finding in mine)
        return mine + asking.ask(probe if stored else "", patience)

    def _tell(self, found: list[Finding]) -> None:
        for finding in found:
            self.stdout.write(f"{MARKS[finding.level]:>6}  {finding.part + ':':<19} {finding.what}")
            if finding.remedy:
                self.stdout.write(f"{'':>27} → {finding.remedy}")
        errors, warnings = (sum(finding.level == level for finding in found) for level in ("error", "warning"))
        told = "All is well." if not errors else f"{errors} to mend now"
        self.stdout.write(f"\n{told}{f', {warnings} some day.' if warnings else '.' if errors else ''}")
