"""Training of stratified SchNet potentials: installed as `hea_training` (extra `train`), needs torch and schnetpack."""

import warnings

with (
    warnings.catch_warnings()
):  # SchNetPack and what it imports warn about themselves: escapes in docstrings, deprecated modules
    warnings.simplefilter("ignore")
    import schnetpack  # noqa: F401
