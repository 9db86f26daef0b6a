"""The regular look over what the portal may use: where the cloud and our records differ."""
