"""Conditions of role assignments, as far as the portal's templates and the delegation of roles use them.

`( !(ActionMatches{'…'}) OR ( @Request[…:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {…} ) ) AND …`
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

TOKEN = re.compile(
    r"\s*(?:(?P<action>ActionMatches\{'(?P<pattern>[^']+)'\})"
    r"|(?P<attribute>@(?:Request|Resource)\[[^\]]+\])"
    r"|(?P<operator>(?:ForAnyOf(?:Any|All)Values:)?(?:Guid|String)(?:Not)?Equals(?:IgnoreCase)?)"
    r"|(?P<set>\{[^}]*\})"
    r"|(?P<text>'[^']*')"
    r"|(?P<word>AND|OR|&&|\|\||!|\(|\)))"
)
WORDS = {"&&": "AND", "||": "OR"}


class ConditionError(Exception):
    """The text is no condition."""


@dataclass(frozen=True)
class Asked:
    """What somebody wants to do: the action, and the attributes it has (`@Request[…]` → value)."""

    action: str
    attributes: Mapping[str, str]


Truth = Callable[[Asked], bool]


def parse(text: str) -> Truth:
    """What tells whether the condition holds; raises ConditionError."""
    tokens, position = [], 0
    while text[position:].strip():
        found = TOKEN.match(text, position)
        if found is None:
            raise ConditionError(f"unexpected text at {position}: {text[position : position + 20]!r}")
        tokens.append(found)
        position = found.end()
    reader = _Reader(tokens)
    truth = reader.either()
    if reader.tokens:
        raise ConditionError(f"unexpected {reader.tokens[0][0].strip()!r}")
    return truth


class _Reader:
    """OR binds less than AND, AND less than !, and parentheses are as everywhere."""

    def __init__(self, tokens: list[re.Match[str]]) -> None:
        self.tokens = tokens

    def either(self) -> Truth:
        parts = [self.both()]
        while self._takes("OR"):
            parts.append(self.both())
        return lambda asked: any(part(asked) for part in parts)

    def both(self) -> Truth:
        parts = [self.one()]
        while self._takes("AND"):
            parts.append(self.one())
        return lambda asked: all(part(asked) for part in parts)

    def one(self) -> Truth:
        if self._takes("!"):
            inner = self.one()
            return lambda asked: not inner(asked)
        if self._takes("("):
            inner = self.either()
            if not self._takes(")"):
                raise ConditionError("a parenthesis is not closed")
            return inner
        if self.tokens and self.tokens[0]["action"]:
            pattern = re.compile(re.escape(self.tokens.pop(0)["pattern"]).replace(r"\*", ".*"), re.IGNORECASE)
            return lambda asked: bool(pattern.fullmatch(asked.action))
        return self._comparison()

    def _comparison(self) -> Truth:
        if len(self.tokens) < 3 or not (self.tokens[0]["attribute"] and self.tokens[1]["operator"]):
            raise ConditionError("a comparison is not complete")
        attribute, operator, value = (self.tokens.pop(0)[0].strip() for _ in range(3))
        wanted = {each.strip().strip("'").lower() for each in value.strip("{}").split(",")}
        negated = "Not" in operator
        return lambda asked: (asked.attributes.get(attribute, "").lower() in wanted) != negated

    def _takes(self, word: str) -> bool:
        found = self.tokens[0]["word"] if self.tokens else None
        if found is None or WORDS.get(found, found) != word:
            return False
        self.tokens.pop(0)
        return True
