"""Looking whether an installation is well: what is wrong, and what to do about it."""
