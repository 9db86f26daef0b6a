"""From symptoms to a sentence and a fix. Rules are data (pods, cluster, launches) over small functions (rule). Pure."""

from __future__ import annotations

from cloud.errors import PermanentError
from deployments.diagnosis import cluster, launches, pods
from deployments.diagnosis.rule import Diagnosis, Rule
from deployments.diagnosis.symptoms import Symptoms

__all__ = ["RULES", "Diagnosis", "Rule", "Symptoms", "diagnose", "explain"]

#: The nearer to the root, the earlier: what has no nodes has no running pods, whatever they say.
RULES: tuple[Rule, ...] = (*cluster.RULES, *pods.RULES, *launches.RULES)


def diagnose(symptoms: Symptoms) -> list[Diagnosis]:
    """Everything that is wrong, causes first; what a found cause explains is left out."""
    found = [(rule, told) for rule in RULES if (told := rule.apply(symptoms))]
    hidden = {code for rule, _ in found for code in rule.hides}
    return [told for rule, told in found if rule.code not in hidden]


def explain(symptoms: Symptoms) -> PermanentError | None:
    """The first diagnosis as an error to show with a failed step; None where no rule knows."""
    found = diagnose(symptoms)
    if not found:
        return None
    first = found[0]
    told = f" Seen: {first.evidence[0]}" if first.evidence else ""
    return PermanentError(f"{first.what} {first.why}{told}", first.fix, code=first.code)
