"""The kinds of field that the forms are made of, and what each says in plain words."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django import forms
from django.core.validators import MaxLengthValidator, MaxValueValidator, MinValueValidator

Rule = Callable[[str], str]
TYPED_EXACTLY = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}


class SizeSelect(forms.Select):
    """A select of sizes, or of regions, of which those that the quota has no room for cannot be chosen.

    Each says why in its label.
    """

    unavailable: frozenset[str] = frozenset()

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(name, value, *args, **kwargs)
        if str(value) in self.unavailable:
            option["attrs"]["disabled"] = True
        return option


class WordField(forms.CharField):
    """One word or address that has a rule; nothing in it is corrected by the browser."""

    def __init__(self, label: str, help_text: str, *, rule: Rule | None = None, **options: Any) -> None:
        attrs = TYPED_EXACTLY | options.pop("attrs", {})
        self.rule = rule
        super().__init__(label=label, help_text=help_text, widget=forms.TextInput(attrs=attrs), **options)

    def clean(self, value: Any) -> str:
        word: str = super().clean(value)
        if word and self.rule and (problem := self.rule(word)):
            raise forms.ValidationError(problem)
        return word


class SeveralField(forms.CharField):
    """Words, one a line or with commas between; each has a rule. Their tidy form comes out as a tuple."""

    def __init__(
        self, label: str, help_text: str, *, rule: Rule, tidy: Callable[[str], str] = str, **options: Any
    ) -> None:
        attrs = {"rows": options.pop("rows", 2), **TYPED_EXACTLY}
        self.rule, self.tidy = rule, tidy
        options = {"max_length": 1000, **options}
        super().__init__(
            label=label, help_text=help_text, widget=forms.Textarea(attrs=attrs), required=False, **options
        )

    def clean(self, value: Any) -> Any:
        words = tuple(self.tidy(part) for part in re.split(r"[\s,;]+", super().clean(value)) if part)
        for word in words:
            if problem := self.rule(word):
                raise forms.ValidationError(problem)
        return tuple(dict.fromkeys(words))

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list | tuple) else value


def secret(label: str, help_text: str) -> forms.CharField:
    """A field whose value never comes back to a page."""
    attrs = {"autocomplete": "off", "spellcheck": "false"}
    widget = forms.PasswordInput(render_value=False, attrs=attrs)
    return forms.CharField(label=label, help_text=help_text, widget=widget, required=False, max_length=500)


def radios(label: str, help_text: str, choices: list[tuple[str, str]]) -> forms.ChoiceField:
    """A choice of which the first is taken when none is made."""
    first = choices[0][0]
    return forms.ChoiceField(
        label=label, help_text=help_text, choices=choices, widget=forms.RadioSelect, initial=first, required=False
    )


def whole(label: str, help_text: str, least: int, most: int, **options: Any) -> forms.IntegerField:
    """A whole number between two others."""
    return forms.IntegerField(label=label, help_text=help_text, min_value=least, max_value=most, **options)


def speak_plainly(field: forms.Field) -> None:
    """Gives the checks that Django makes by itself our own sentences."""
    field.error_messages |= {
        "required": "Please fill this in.",
        "invalid_choice": "This cannot be chosen here, or not any more: choose one from the list.",
    }
    if isinstance(field, forms.IntegerField):
        kind = "number" if isinstance(field, forms.FloatField) else "whole number"
        field.error_messages |= {"invalid": f"Write a {kind} from {field.min_value} to {field.max_value}."}
    if isinstance(field, forms.DateField):
        field.error_messages |= {"invalid": "This is not a day. Write it as year-month-day, like 2026-12-31."}
    for check in field.validators:
        if isinstance(check, MinValueValidator | MaxValueValidator):
            check.message = f"Choose from {field.min_value} to {field.max_value}."  # type: ignore[attr-defined]
        if isinstance(check, MaxLengthValidator):
            check.message = "This is too long: %(limit_value)d characters at most; it has %(show_value)d."
