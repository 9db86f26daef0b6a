"""The only place that imports an SDK: everything Slipway says to the outside world goes through here."""
