"""The compiled engine: reads model files and evaluates energies, forces, virials and uncertainties."""

from hea_potential.engine._engine import ExchangeScan, Model, ModelError, Potential, simd_name

__all__ = ["ExchangeScan", "Model", "ModelError", "Potential", "simd_name"]
