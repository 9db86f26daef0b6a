"""Preparing a real subscription: the least rights of the portal's two identities, its vault, what must be switched on."""
