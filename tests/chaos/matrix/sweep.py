"""Lets each call of a life suffer a fault, and looks what becomes of the run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from deployments import services
from deployments.models import Operation
from deployments.states import Level, OperationKind, OperationStatus, StepState
from tests.chaos.matrix.calls import Call
from tests.chaos.matrix.clockwork import Clockwork, Wrapped
from tests.chaos.matrix.faults import AZURE, Fault
from tests.chaos.matrix.lives import PLANNED, succeeded
from tests.chaos.matrix.recorder import as_if_just_started
from tests.sandbox_process import SandboxProcess
from worker.hub import HubContext
from worker.step import Step

#: Tries of one operation in a row that may fail though nothing new has struck.
MOST_IDLE_TRIES = 3
WELL = "failed well"
Case = tuple[Call, Fault]
#: What a person is told while something is tried again; a run that has ended is not.
STILL_TRYING = "tried again by itself"


@dataclass
class Strike:
    """One fault that has struck one call, and how the run took it."""

    call: Call
    fault: Fault
    number: int
    visit: int
    verdict: str = "recovered"

    @property
    def is_bad(self) -> bool:
        return self.verdict not in ("recovered", WELL)

    def __str__(self) -> str:
        return f"{self.fault.name} → {self.call}: {self.verdict}"


@dataclass
class Sweep:
    """`faults` says what each call suffers, one after another; `drive` moves a run to its good end in spite of them."""

    cloud: SandboxProcess
    owner: Any
    faults: Mapping[Call, Sequence[Fault]]
    strikes: dict[Case, Strike] = field(default_factory=dict)
    _armed: dict[int, Case] = field(default_factory=dict)
    _was_refused: bool = False

    def __post_init__(self) -> None:
        self.work = Clockwork(lambda step: Swept(step, self))

    def drive(
        self,
        operation: Operation,
        until: Callable[[], bool] = lambda: False,
        good: Callable[[Operation], bool] = succeeded,
    ) -> Operation:
        idle = 0
        while idle < MOST_IDLE_TRIES:
            before = len(self.strikes)
            self.work.drive(operation, until)
            if until() or good(operation):
                return operation
            self._judge(operation)
            idle = idle + 1 if len(self.strikes) == before else 0
            self.disarm()
            operation = self._again(operation)
        raise AssertionError(f"{operation} never comes to its end: {operation.error_message}")

    def _again(self, operation: Operation) -> Operation:
        """Tries it again from the failed step; new secrets that were given up again are given once more."""
        if operation.kind == OperationKind.ROTATE:
            operation.deployment.refresh_from_db()
            purposes = operation.arguments["purposes"]
            return services.rotate(self.owner, operation.deployment, dict.fromkeys(purposes, ""))
        services.retry(self.owner, operation)
        operation.refresh_from_db()
        return operation

    def arm(self, ctx: HubContext, step: str) -> None:
        """Lays the faults of this step's calls that have not struck yet."""
        mine = self._open(ctx.operation.kind, step)
        self._make_it_ask(ctx, [call for call, _ in mine])
        if any(fault.lasts for _, fault in mine):
            self._give_up_what_is_over(ctx)
            mine = [] if self._armed else mine[:1]
        if mine:
            rules = self.cloud.control("faults", [fault.rule_for(call) for call, fault in mine])
            self._armed |= {rule["number"]: case for rule, case in zip(rules, mine, strict=True)}

    def _make_it_ask(self, ctx: HubContext, calls: list[Call]) -> None:
        """A worker that has its token and credentials does not ask; one that was refused asks no more for a minute."""
        if self._was_refused or any(call.door == "entra" for call in calls):
            as_if_just_started(ctx)
        elif any(call.path.endswith("credential") for call in calls):
            ctx.forget_credentials()
        self._was_refused = False

    def look(self) -> None:
        """Notes what has struck; takes away what has not, until the step comes again."""
        if not self._armed:
            return
        struck = {rule["number"] for rule in self.cloud.control("faults") if rule["struck"]}
        for number in sorted(struck & set(self._armed)):
            call, fault = self._armed[number]
            self._was_refused |= call.door == "entra"
            self.strikes.setdefault((call, fault), Strike(call, fault, number, self.work.visits))
        if not any(fault.lasts for _, fault in self._armed.values()):
            self.disarm(but=self._token_faults(struck))

    def disarm(self, but: Collection[int] = ()) -> None:
        if gone := set(self._armed) - set(but):
            self.cloud.control("faults?" + "&".join(f"number={number}" for number in gone), method="DELETE")
        self._armed = {number: case for number, case in self._armed.items() if number in but}

    def _give_up_what_is_over(self, ctx: HubContext) -> None:
        """A fault that lasts ends with its step or operation, if the run went on without that call."""
        done = set(ctx.operation.steps.filter(state=StepState.DONE).values_list("name", flat=True))
        here = [number for number, (call, _) in self._armed.items() if call.operation == ctx.operation.kind]
        self.disarm(but=[number for number in here if self._armed[number][0].step not in done])

    def _token_faults(self, struck: set[int]) -> set[int]:
        """A token that was refused stays refused: such a rule stays as long as its step goes on."""
        kinds = {number: fault.rule["kind"] for number, (_, fault) in self._armed.items()}
        refused = ("expired-token", "cae")
        return {number for number, kind in kinds.items() if number in struck and kind in refused}

    def _open(self, operation: str, step: str) -> list[Case]:
        """Of each call that the step makes the next fault that has not struck it."""
        here = ((call, faults) for call, faults in self.faults.items() if call.is_made_by(operation, step))
        left = ((call, [fault for fault in faults if (call, fault) not in self.strikes]) for call, faults in here)
        return [(call, faults[0]) for call, faults in left if faults]

    def _judge(self, operation: Operation) -> None:
        """A run has ended before its good end: was it the last strike, and was it told as it should be?"""
        if PLANNED in operation.error_message:
            return
        last = next(reversed(self.strikes.values()), None)
        assert last is not None, f"{operation} ended without a fault: {operation.error_message}"
        # What one call suffers may be swallowed, and another's in the same visit end the run.
        culprits = [strike for strike in self.strikes.values() if strike.visit == last.visit]
        verdicts = {id(strike): self._verdict(operation, strike) for strike in culprits}
        well = next((strike for strike in culprits if verdicts[id(strike)] == WELL), None)
        for strike in [well] if well else culprits:
            strike.verdict = verdicts[id(strike)]

    def _verdict(self, operation: Operation, strike: Strike) -> str:
        told, remedy = operation.error_message, operation.error_remedy
        if operation.status != OperationStatus.FAILED:
            return f"the run ended as {operation.status}"
        if operation.error_code.startswith("bug-"):
            return f"taken for a bug of ours: {operation.error_code}"
        if not told or not remedy:
            return f"nothing to go by: “{told}” “{remedy}”"
        if STILL_TRYING in remedy:
            return f"the run is over, and its remedy says otherwise: “{remedy}”"
        if strike.fault.passes:
            return f"a passing trouble ended the run: “{told}” “{remedy}”"
        return WELL if _gives_reference(operation, strike) else f"Azure's reference is not in: “{told}” “{remedy}”"


def _gives_reference(operation: Operation, strike: Strike) -> bool:
    """Whether Azure's number of the trouble is told, with the failure or in the log beside it.

    Entra has its own, which its SDK keeps to itself where Entra is not well. A step whose time is up has none to tell.
    """
    if strike.call.door == "entra":
        return bool(operation.correlation_id) or strike.fault.lasts
    if strike.call.door not in AZURE or operation.error_code == "DeadlineExceeded":
        return True
    said = operation.events.filter(level=Level.ERROR, message__contains=f"Azure's reference fault-{strike.number})")
    return operation.correlation_id == f"fault-{strike.number}" or said.exists()


class Swept(Wrapped):
    def __init__(self, inner: Step[Any], sweep: Sweep) -> None:
        super().__init__(inner)
        self.sweep = sweep

    def around(self, ctx: HubContext, work: Callable[[], Any]) -> Any:
        self.sweep.arm(ctx, self.name)
        try:
            return work()
        finally:
            self.sweep.look()
