"""Training of stratified SchNet potentials: installed as `hea_training` (extra `train`), needs torch and schnetpack."""
