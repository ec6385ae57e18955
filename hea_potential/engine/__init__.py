"""The C++ engine and its bindings, `hea_potential.engine._engine`."""
