"""Which of an organisation's policies would refuse what is to be made, asked before it is made.

Azure evaluates a described resource without making it (checkPolicyRestrictions), whatever scope a policy comes from.
The right it takes is Microsoft.PolicyInsights/checkPolicyRestrictions/read, which Reader and Contributor have.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cloud.azure.plain import ask
from cloud.azure.session import AzureSession
from cloud.azure.translate import translated
from cloud.errors import SlipwayError

API_VERSION, DEFINITION_API = "2023-03-01", "2023-04-01"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A resource to be made, as ARM takes it, its type among it; `what` says to a person what it is.

    `undecided` are fields with the values that each may get.
    """

    what: str
    content: Mapping[str, Any]
    api_version: str
    undecided: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Denied:
    """A policy by its display name, what it refuses, and for which values of which undecided field ("": for all)."""

    policy: str
    what: str
    field: str = ""
    values: tuple[str, ...] = ()


def denials(az: AzureSession, subscription: str, wanted: Iterable[Wanted]) -> list[Denied]:
    """Every policy that denies one of these, each once for each thing."""
    asker = _Asker(az, subscription)
    return [denied for each in wanted for denied in asker.ask(each)]


@dataclass
class _Asker:
    az: AzureSession
    subscription: str
    _names: dict[str, str] = field(default_factory=dict)

    def ask(self, wanted: Wanted) -> list[Denied]:
        path = f"/subscriptions/{self.subscription}/providers/Microsoft.PolicyInsights/checkPolicyRestrictions"
        details = {"resourceContent": dict(wanted.content), "apiVersion": wanted.api_version}
        body: dict[str, Any] = {"resourceDetails": details}
        if wanted.undecided:
            pending = [{"field": name, "values": list(values)} for name, values in wanted.undecided.items()]
            body["pendingFields"] = pending
        with translated("ask which policies would refuse the hub"):
            answer = ask(self.az, self.subscription, "POST", path, API_VERSION, body)
        return list(dict.fromkeys([*self._whole(answer, wanted), *self._by_value(answer, wanted)]))

    def _whole(self, answer: dict[str, Any], wanted: Wanted) -> list[Denied]:
        """Policies that refuse the thing as far as it is described."""
        found = (answer.get("contentEvaluationResult") or {}).get("policyEvaluations") or []
        return [
            Denied(self._name(each.get("policyInfo") or {}), wanted.what)
            for each in found
            if each.get("evaluationResult") == "NonCompliant" and _denies(each.get("effectDetails") or {})
        ]

    def _by_value(self, answer: dict[str, Any], wanted: Wanted) -> list[Denied]:
        """Policies that refuse it for some values of what is still undecided."""
        known = {name.lower(): name for name in wanted.undecided}
        found = []
        for restricted in answer.get("fieldRestrictions") or []:
            name = known.get(str(restricted.get("field", "")).lower())
            for row in restricted.get("restrictions") or []:
                if name and row.get("result") == "Deny" and _denies(row):
                    values = _as_asked(row.get("values") or [], wanted.undecided[name])
                    found.append(Denied(self._name(row.get("policy") or {}), wanted.what, name, values))
        return found

    def _name(self, reference: dict[str, Any]) -> str:
        """What people call the policy; where its definition may not be read, the last part of its assignment's id."""
        number = str(reference.get("policyDefinitionId") or "")
        if number not in self._names:
            assignment = str(reference.get("policyAssignmentId") or number)
            self._names[number] = self._display_name(number) or assignment.rsplit("/", 1)[-1]
        return self._names[number]

    def _display_name(self, number: str) -> str:
        try:
            with translated("read a policy's name"):
                found = ask(self.az, self.subscription, "GET", number, DEFINITION_API)
        except SlipwayError:
            return ""
        return str((found.get("properties") or {}).get("displayName") or "")


def _denies(effect: dict[str, Any]) -> bool:
    return str(effect.get("policyEffect", "")).lower() == "deny"


def _as_asked(told: list[str], asked: tuple[str, ...]) -> tuple[str, ...]:
    """Azure may answer `uk south` where `uksouth` was asked about."""
    known = {_tight(value): value for value in asked}
    return tuple(known.get(_tight(value), value) for value in told)


def _tight(value: str) -> str:
    return value.replace(" ", "").lower()
