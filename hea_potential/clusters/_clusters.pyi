import numpy as np
from numpy.typing import NDArray

Types = NDArray[np.int64]
Floats = NDArray[np.float64]
Fingerprint = NDArray[np.float32]

def ordered(types: Types, positions: Floats) -> tuple[Types, Floats]: ...
def turned(positions: Floats, quaternion: Floats) -> Floats: ...
def reduced_distances(types: Types, positions: Floats, bonds: Floats) -> Floats: ...
def coordination(types: Types, positions: Floats, bonds: Floats, reach: float) -> NDArray[np.int64]: ...
def is_connected(types: Types, positions: Floats, bonds: Floats, reach: float) -> bool: ...
def candidate(
    types: Types, positions: Floats, wanted: Types, bonds: Floats, least: float, rounds: int
) -> Floats | None: ...
def separated(types: Types, positions: Floats, bonds: Floats, least: float, rounds: int) -> Floats: ...
def vacant_sites(
    types: Types, positions: Floats, bonds: Floats, kind: int, contact: float, least: float
) -> tuple[Floats, NDArray[np.int64]]: ...
def fingerprint(types: Types, positions: Floats, bonds: Floats, spacing: float, points: int) -> Fingerprint: ...
def similarities(one: Fingerprint, others: list[Fingerprint]) -> Floats: ...
def grown(
    bit_generator: object,
    types: Types,
    positions: Floats,
    bonds: Floats,
    added: Types,
    contact: float,
    least: float,
    blur: float,
) -> tuple[Types, Floats]: ...
def resurfaced(
    bit_generator: object,
    types: Types,
    positions: Floats,
    bonds: Floats,
    count: int,
    contact: float,
    least: float,
    blur: float,
) -> tuple[Types, Floats]: ...
def with_moved_atoms(
    bit_generator: object,
    types: Types,
    positions: Floats,
    bonds: Floats,
    times: int,
    contact: float,
    least: float,
    blur: float,
) -> tuple[Types, Floats]: ...
def annealed(
    bit_generator: object,
    types: Types,
    positions: Floats,
    bonds: Floats,
    moves: int,
    hot: float,
    cold: float,
    contact: float,
    least: float,
) -> tuple[Types, Floats]: ...
def orbit(point: Floats, operations: Floats, merging: float) -> Floats: ...
def packed_orbits(
    bit_generator: object,
    operations: Floats,
    projections: Floats,
    radius: float,
    bond: float,
) -> tuple[Floats, Types]: ...
def completed(
    bit_generator: object,
    types: Types,
    positions: Floats,
    bonds: Floats,
    operations: Floats,
    core: int,
    overlap: float,
) -> tuple[Types, Floats, Types]: ...

class Structure:
    @property
    def surroundings(self) -> NDArray[np.int64]: ...
    @property
    def counts(self) -> list[int]: ...
    @property
    def stacked_hcp(self) -> int: ...
    @property
    def fivefold_axes(self) -> int: ...
    @property
    def axes_meet(self) -> bool: ...

def structure_of(types: Types, positions: Floats, bonds: Floats) -> Structure: ...
def point_group(types: Types, positions: Floats, bonds: Floats, tolerance: float) -> str: ...
