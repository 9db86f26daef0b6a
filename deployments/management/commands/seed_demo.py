"""`manage.py seed_demo`: people to try the portal with, and a catalogue to choose from."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.demo import ensure_people, grant_to_everybody
from cloud.errors import SlipwayError
from deployments import outside
from deployments.dispatch import send


class Command(BaseCommand):
    help = "Makes the people researcher and admin once, and lets everybody use the subscriptions the portal sees."

    def handle(self, *args: Any, **options: Any) -> None:
        from cloud.azure import offers

        try:
            seen = [each.id for each in offers.list_subscriptions(outside.azure())]
        except SlipwayError as error:
            # Before anybody is made: their passwords are shown once, by the run that ends well.
            raise CommandError(f"No subscription could be granted to anybody: {error}") from error
        for username, password in ensure_people().items():
            self.stdout.write(f"{username} {password}")
        grant_to_everybody(seen)
        send("chores", "worker.jobs.refresh_catalogue")
