"""Who the portal is to Azure: for letters that ask somebody to give it a right."""

import base64
import json
from dataclasses import dataclass

from cloud.azure.session import AzureSession


@dataclass(frozen=True, slots=True)
class Identity:
    """An application's (client) id, and the object id of its service principal, as roles are given to it."""

    client_id: str
    object_id: str

    def __str__(self) -> str:
        return f"the application with the client ID {self.client_id} (object ID {self.object_id})"


def who(az: AzureSession) -> Identity:
    """The signed-in identity, as its own token names it; not verified, for it is only shown."""
    payload = az.token(az.profile.arm_scope).split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return Identity(str(claims.get("appid") or claims.get("azp") or ""), str(claims.get("oid") or ""))
