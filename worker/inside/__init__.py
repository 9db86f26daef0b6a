"""Looks inside hubs that pages have asked for, filled in beside whatever a job does: read-only, redacted, bounded."""
