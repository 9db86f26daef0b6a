"""The simulated outside world: a separate program that speaks what Azure, Kubernetes, registries and hubs speak.

It shares no code with the portal; the portal reaches it only over TLS, through an `AzureCloud` profile.
"""
