"""One step each: a thing of the hub, how to see it, how to make it or take it away."""
