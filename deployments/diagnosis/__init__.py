"""From symptoms to a sentence and a fix. Rules are data (pods, cluster, launches) over small functions (rule). Pure."""

from __future__ import annotations

from cloud.errors import PermanentError
from deployments.diagnosis import cluster, launches, pods
from deployments.diagnosis.rule import Diagnosis, Rule
from deployments.diagnosis.symptoms import Symptoms

__all__ = ["CODES", "RULES", "Diagnosis", "Rule", "Symptoms", "as_error", "diagnose", "explain"]

#: The nearer to the root, the earlier: what has no nodes has no running pods, whatever they say.
RULES: tuple[Rule, ...] = (*cluster.RULES, *pods.RULES, *launches.RULES)
CODES = frozenset(rule.code for rule in RULES)


def diagnose(symptoms: Symptoms) -> list[Diagnosis]:
    """Everything that is wrong, causes first; what a found cause explains is left out."""
    found = [(rule, told) for rule in RULES if (told := rule.apply(symptoms))]
    hidden = {code for rule, _ in found for code in rule.hides}
    return [told for rule, told in found if rule.code not in hidden]


def explain(symptoms: Symptoms) -> PermanentError | None:
    """The first diagnosis as an error to show with a failed step; None where no rule knows."""
    found = diagnose(symptoms)
    return as_error(found[0]) if found else None


def as_error(found: Diagnosis) -> PermanentError:
    """A diagnosis in the words of a step that failed for it."""
    told = f" Seen: {found.evidence[0]}" if found.evidence else ""
    return PermanentError(f"{found.what} {found.why}{told}", found.fix, code=found.code)
