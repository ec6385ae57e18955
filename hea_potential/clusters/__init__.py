"""The compiled geometry of clusters: how candidates are made, and what a search asks of them and of minima.

Functions take types (n,) int64, positions (n, 3) and bonds (S, S), the length of a bond between two types; lengths such
as `reach` are in bonds. What is random draws from `bit_generator`, the `bit_generator.capsule` of a numpy Generator.
They raise ValueError if the arrays do not fit together.

`half_edges` gives the pairs within a cutoff as the engine takes them: first (n + 1,), neighbour (m,), vectors (m, 3).
`ordering_walk` takes an ordering, types (n,) int32, what each element would add to its energy on each site, field
(n, S), the energy, and pairs of sites with what they add to it, first, second and classes (p,) and couplings (classes,
S, S); it gives the orderings that so many steps lead to, (m, n), and their energies (m,). Each step is the best swap,
even uphill, but what was swapped does not go back for some steps.

`_clusters` has what starts are made of as well (`orbit`, `packed_orbits`), for tests with every point group.
"""

from hea_potential.clusters._clusters import (
    Fingerprint,
    Judging,
    Lattice,
    PointGroup,
    Stream,
    Structure,
    candidate,
    centred_with_fingerprint,
    coordination,
    exchanged,
    fingerprint,
    half_edges,
    is_connected,
    mirrored,
    most_promising,
    ordered,
    ordering_walk,
    point_group,
    random_packing,
    rattled,
    reduced_distances,
    resurfaced,
    separated,
    similarities,
    spliced,
    structure_of,
    symmetric_start,
    symmetrised,
    twisted,
    vacant_sites,
    with_exchanged_shells,
    with_moved_atoms,
)

__all__ = [
    "Fingerprint",
    "Judging",
    "Lattice",
    "PointGroup",
    "Stream",
    "Structure",
    "candidate",
    "centred_with_fingerprint",
    "coordination",
    "exchanged",
    "fingerprint",
    "half_edges",
    "is_connected",
    "mirrored",
    "most_promising",
    "ordered",
    "ordering_walk",
    "point_group",
    "random_packing",
    "rattled",
    "reduced_distances",
    "resurfaced",
    "separated",
    "similarities",
    "spliced",
    "structure_of",
    "symmetric_start",
    "symmetrised",
    "twisted",
    "vacant_sites",
    "with_exchanged_shells",
    "with_moved_atoms",
]
