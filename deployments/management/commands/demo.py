"""`manage.py demo`: request, approve, watch, prove, take down, receipt, in a terminal."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from accounts.models import User
from deployments import demo, services
from deployments.errors import SlipwayError
from deployments.models import Deployment, Event, Operation
from deployments.states import Level, OperationStatus, StepState

COLOURS = {"green": "green", "red": "bold red", "amber": "yellow", "grey": "default", "blue": "blue"}
#: An account that exists in a simulated Docker Hub only; name another one in the environment.
USERNAME, TOKEN = "slipwaydemo", "dckr_pat_demo"


class Command(BaseCommand):
    help = "Does the main job without a browser; fails when any part of it fails."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--patience", type=float, default=600.0, help="seconds for each of the two runs")

    def handle(self, *args: Any, **options: Any) -> None:
        self.console = Console(highlight=False)
        try:
            self._play(options["patience"])
        except SlipwayError as error:
            raise CommandError(str(error)) from error

    def _play(self, patience: float) -> None:
        researcher, admin = (User.objects.get(username=name) for name in ("researcher", "admin"))
        self._say("Looking at what Azure offers …")
        spec = demo.choose(researcher, os.environ.get("SLIPWAY_DEMO_DOCKER_USERNAME", USERNAME))
        self._say(f"{researcher} requests {spec.name}: {spec.node_count} × {spec.node_size} in {spec.region}.")
        deployment = demo.request(researcher, spec, _docker_token())
        self._say(f"{admin} approves.")
        built = self._watch(services.approve(admin, deployment, 1), patience)
        self._expect(built, "built")
        self._show_proof(deployment, built)
        removed = self._watch(services.tear_down(researcher, deployment, deployment.name), patience)
        self._expect(removed, "taken down")
        self._show_receipt(removed)

    def _watch(self, operation: Operation, patience: float) -> Operation:
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[now]}"), TimeElapsedColumn())
        with Progress(*columns, console=self.console, transient=True) as progress:
            bar = progress.add_task(operation.get_kind_display(), total=None, now="")

            def show(current: Operation, lines: list[Event]) -> None:
                for line in lines:
                    colour = COLOURS[Level.of(line.level).look.colour]
                    progress.console.print(Text(f"{line.at:%H:%M:%S}  {line.message}", style=colour))
                steps = list(current.steps.all())
                done = sum(step.state == StepState.DONE for step in steps)
                working = ", ".join(step.title for step in steps if step.state == StepState.WORKING)
                progress.update(bar, total=len(steps) or None, completed=done, now=working)

            return demo.follow(operation, show, patience)

    def _expect(self, operation: Operation, what: str) -> None:
        if operation.status != OperationStatus.SUCCEEDED:
            raise SlipwayError(f"The hub was not {what}: {operation.error_message}", operation.error_remedy)

    def _show_proof(self, deployment: Deployment, built: Operation) -> None:
        proof = built.result["proof"]
        self._say(f"The hub is at {deployment.address}")
        self._say(f"Proof: {proof['repository']} became {proof['image']} and answered after {proof['seconds']} s.")

    def _show_receipt(self, removed: Operation) -> None:
        receipt = removed.result["receipt"]
        table = Table("What", "Name", "Gone", "How we know", title="Receipt")
        for item in receipt["items"]:
            table.add_row(item["kind"], item["name"], "yes" if item["gone"] else "NO", item["note"])
        self.console.print(table)
        for reminder in receipt["reminders"]:
            self.console.print(Text(f"• {reminder['text']} {reminder['url']}"))
        if not receipt["complete"]:
            raise SlipwayError("Something is left.", "See the receipt above.")
        self._say("Nothing is left.")

    def _say(self, text: str) -> None:
        self.console.print(Text(text, style="bold"))


def _docker_token() -> str:
    path = os.environ.get("SLIPWAY_DEMO_DOCKER_TOKEN_FILE")
    return Path(path).read_text().strip() if path else TOKEN
