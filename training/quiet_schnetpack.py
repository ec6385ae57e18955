"""SchNetPack, imported without the warnings that it and what it imports give about themselves: escapes in docstrings,
deprecated modules.

Whoever needs SchNetPack imports this first. It takes seconds, so what can do without it must not import it.
"""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import schnetpack  # noqa: F401
