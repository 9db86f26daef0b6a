"""Secrets in one Azure Key Vault. A secret's value passes through here and stays nowhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from cloud.azure.session import AzureSession
from cloud.azure.translate import error_code, translated


@dataclass(frozen=True, slots=True)
class SecretState:
    """Where a secret is in its life; `scheduled_purge` says until when a deleted one can be brought back."""

    state: Literal["absent", "active", "deleted"]
    scheduled_purge: datetime | None = None


class SecretVault:
    """The secrets of one vault, each by name. The web identity may only `set`; the worker does the rest."""

    def __init__(self, az: AzureSession, url: str) -> None:
        self._az = az
        self.url = url

    def set(self, name: str, value: str, tags: Mapping[str, str] | None = None) -> str:
        """Store a new version and return its id; a name held by a deleted secret raises NameTaken."""
        with translated("store a secret in the vault"):
            stored = self._az.vault(self.url).set_secret(name, value, tags=dict(tags or {}))
            return stored.properties.version or ""

    def get(self, name: str, version: str = "") -> str:
        """That version's value, or the newest; raises InvalidRequest when there is none."""
        with translated("read a secret from the vault"):
            return self._az.vault(self.url).get_secret(name, version or None).value or ""

    def names(self) -> list[str]:
        """Names of all active secrets."""
        with translated("list the secrets of the vault"):
            found = self._az.vault(self.url).list_properties_of_secrets()
            return sorted(secret.name for secret in found if secret.name)

    def deleted_names(self) -> list[str]:
        """Names of secrets that are deleted but could still be brought back."""
        with translated("list the deleted secrets of the vault"):
            return sorted(secret.name for secret in self._az.vault(self.url).list_deleted_secrets() if secret.name)

    def delete(self, name: str) -> None:
        """Start deleting; it may be purged once `state` says deleted. Already gone is fine."""
        from azure.core.exceptions import ResourceNotFoundError

        with translated("delete a secret from the vault"):
            try:
                self._az.vault(self.url).begin_delete_secret(name)
            except ResourceNotFoundError as exc:
                _only_when_absent(exc)

    def purge(self, name: str) -> None:
        """Remove a deleted secret for good; one that is already gone is fine.

        Raises NotYet while Azure is still deleting it, PermissionDenied under purge protection.
        """
        from azure.core.exceptions import ResourceNotFoundError

        with translated("purge a secret from the vault"):
            try:
                self._az.vault(self.url).purge_deleted_secret(name)
            except ResourceNotFoundError as exc:
                _only_when_absent(exc)

    def state(self, name: str) -> SecretState:
        """Active, deleted (recoverable until when) or absent. Never reads the value.

        For some seconds after `delete` a vault shows a secret in neither list: only `purge` can tell the two apart.
        """
        with translated("look at a secret of the vault"):
            if self._has_versions(name):
                return SecretState("active")
            return self._deleted_state(name)

    def _has_versions(self, name: str) -> bool:
        """By the list of versions, which carries no values and is empty for a name that is not there."""
        from azure.core.exceptions import ResourceNotFoundError

        try:
            return any(True for _ in self._az.vault(self.url).list_properties_of_secret_versions(name))
        except ResourceNotFoundError as exc:
            _only_when_absent(exc)
            return False

    def _deleted_state(self, name: str) -> SecretState:
        from azure.core.exceptions import ResourceNotFoundError

        try:
            deleted = self._az.vault(self.url).get_deleted_secret(name)
        except ResourceNotFoundError as exc:
            _only_when_absent(exc)
            return SecretState("absent")
        return SecretState("deleted", deleted.scheduled_purge_date)


def _only_when_absent(exc: Exception) -> None:
    """Go on only when the vault itself says so: a proxy's 404 must not pass for "gone"."""
    if error_code(exc) not in {"SecretNotFound", "NotFound"}:
        raise exc
