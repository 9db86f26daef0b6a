"""Preparing a real subscription: the least rights of its two identities, its vault, what must be switched on."""
