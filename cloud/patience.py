"""How long an answer may take before its silence counts as none."""

import os


def answer_seconds(usual: float) -> float:
    """`usual`, unless SLIPWAY_ANSWER_SECONDS says less: for networks that keep connections open and carry nothing."""
    return min(usual, float(os.environ.get("SLIPWAY_ANSWER_SECONDS") or usual))
