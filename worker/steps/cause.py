"""Steps about what goes on inside a cluster: they say the cause while they wait, and when they fail."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from cloud.errors import PermanentError, SlipwayError
from deployments import diagnosis
from deployments.diagnosis import Diagnosis, Symptoms, diagnose
from deployments.diagnosis.symptoms import PASSING
from deployments.models import Event
from deployments.states import Level
from worker.hub import HubContext
from worker.step import Found, Step

log = logging.getLogger(__name__)

#: What says no more than that it failed: the build's last lines, or the inside of the cluster, may tell why.
VAGUE = frozenset({"build-failed", "build-timeout", "launch-failed", "session-timeout"})
LAST_LINES = 30
#: Kubernetes keeps moments to the second.
SECOND = timedelta(seconds=1)


class Diagnosed(Step[HubContext]):
    """What keeps such a step from being done is looked for inside the hub."""

    #: For so long (seconds) nobody wonders that it is not done yet, unless something says that it is in trouble.
    calm: float = 30.0

    def relevant(self, symptoms: Symptoms) -> Symptoms:
        """What of all that is seen has to do with this step."""
        return symptoms.of_the_hub()

    def waiting(self, ctx: HubContext, summary: str, *, alarm: str = "", unhealthy: Sequence[str] = ()) -> Found:
        """Still on its way, with the likely cause; failed, once it is certain that waiting does not mend it.

        `alarm` is what somebody said is wrong: it is shown where no rule knows more.
        """
        cause = self._cause(ctx, unhealthy) if alarm or ctx.waited > self.calm else None
        before, stood = ctx.run.trouble, ctx.troubled(cause.code if cause else "")
        if cause is None:
            return Found.changing(f"{summary}; {alarm}" if alarm else summary)
        error = diagnosis.as_error(cause)
        if cause.code != before:
            ctx.log(str(error), Level.WARNING)
        if cause.lasting is not None and stood >= cause.lasting:
            return Found.failed(error)
        return Found.changing(f"{summary}. {cause.what}")

    def _cause(self, ctx: HubContext, unhealthy: Sequence[str]) -> Diagnosis | None:
        """Nothing, where nobody can look: that is no reason for the step itself to fail."""
        try:
            return likely(self.relevant(ctx.symptoms(unhealthy)))
        except SlipwayError as error:
            log.info("The cause of a wait could not be looked for: %s", error)
            return None

    def explain(self, ctx: HubContext, error: SlipwayError) -> SlipwayError:
        """The cause, where a rule knows it."""
        if error.code in diagnosis.CODES:
            return error
        cause = likely(self.relevant(ctx.symptoms()))
        return diagnosis.as_error(cause) if cause else error


def likely(symptoms: Symptoms) -> Diagnosis | None:
    """What to tell of: rather what will not mend by itself, else what is nearest to the root."""
    found = diagnose(symptoms)
    return next((each for each in found if each.lasting is not None), found[0] if found else None)


def why_not_launched(ctx: HubContext, error: SlipwayError) -> PermanentError | None:
    """Why a launch failed: in the hub's own words, in the build's last lines, or inside the cluster."""
    told = diagnosis.explain(Symptoms(failure=error.user_message))
    if told is None or told.code in VAGUE:
        told = diagnosis.explain(Symptoms(failure=_last_lines(ctx))) or told
    if told is not None and told.code not in VAGUE:
        return told
    try:
        cause = likely(_of_the_launch(ctx.symptoms(), ctx.run.started_at))
    except SlipwayError:
        return told
    return diagnosis.as_error(cause) if cause else told


def _last_lines(ctx: HubContext) -> str:
    said = Event.objects.filter(operation=ctx.operation, step=ctx.run.name).order_by("-number")
    return "\n".join(reversed(said.values_list("message", flat=True)[:LAST_LINES]))


def _of_the_launch(symptoms: Symptoms, begun: datetime | None) -> Symptoms:
    """The hub's own parts, and the builds and sessions that were begun since: other people's are their own."""
    after = begun - SECOND if begun else symptoms.now
    pods = [pod for pod in symptoms.pods if pod.component not in PASSING or (pod.created and pod.created >= after)]
    return replace(symptoms, pods=pods)
