"""Looking inside a hub: what may be looked at, how it is asked for, and in which words it is shown."""
