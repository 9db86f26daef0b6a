"""Why a backup was not made, or not restored."""


class BackupRefused(Exception):
    """One sentence for whoever runs the command: what is in the way, and what to do."""
