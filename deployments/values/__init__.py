"""HubSpec → values of the BinderHub chart. Pure.

It stands here and not in worker/ because pages show the same values, with the secrets masked, before anything runs.
"""

from deployments.values.chart import BINDER_PATH, DNS_LABEL_ANNOTATION, PROBE_SERVICE, hub_values
from deployments.values.secrets import HubSecrets
from deployments.values.sign_in import oauth_callback

__all__ = ["BINDER_PATH", "DNS_LABEL_ANNOTATION", "PROBE_SERVICE", "HubSecrets", "hub_values", "oauth_callback"]
