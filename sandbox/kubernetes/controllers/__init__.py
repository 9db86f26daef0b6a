"""What makes wishes come true in a cluster: one module a controller, each with `reconcile(look)`."""
