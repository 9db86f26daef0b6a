"""Azure Resource Manager in Slipway's words: plain frozen dataclasses out, errors of cloud.errors raised."""
