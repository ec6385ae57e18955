"""The motif of a cluster: what its inner atoms, by common-neighbour analysis, say that it is a piece of.

Honeycutt and Andersen, J. Phys. Chem. 91, 4950 (1987); Stukowski, Modelling Simul. Mater. Sci. Eng. 20, 045021 (2012).
The signatures are counted by the compiled `hea_potential.clusters`; here they get a name.
"""

from __future__ import annotations

from typing import NamedTuple

from hea_potential import clusters
from hea_potential.search.geometry import Cluster, Floats


class Inner(NamedTuple):
    """Number of atoms by what surrounds them: fewer than 12 neighbours (surface), or one of the shells of
    `clusters/common_neighbours.h`.
    """

    surface: int
    fcc: int
    hcp: int
    icosahedral: int
    fivefold: int
    frank_kasper: int
    other: int


def motif(cluster: Cluster, bonds: Floats) -> str:
    """One of

    - `icosahedral`: around one centre of an icosahedron, which may lie at the surface;
    - `polyicosahedral`: a quarter of the inner atoms or more are such centres or Frank-Kasper atoms: packed by
      tetrahedra alone;
    - `decahedral`: around one fivefold axis;
    - `tetrahedral`: several fivefold axes that do not meet, as at the edges of Leary's tetrahedron;
    - `fcc`, `hcp`, `twinned`: close packed, the last of both or with a single layer of hcp;
    - `amorphous`: most inner atoms have a shell that belongs to none of these;
    - `coreless`: no atom has 12 neighbours; the cluster is too small, flat or loose to say.
    """
    found = clusters.structure_of(cluster.types, cluster.positions, bonds)
    atoms = Inner(*found.counts)
    inner = len(cluster.types) - atoms.surface
    polytetrahedral = atoms.icosahedral + atoms.frank_kasper
    if inner == 0:
        return "coreless"
    if polytetrahedral > 1 and polytetrahedral >= inner / 4:
        return "polyicosahedral"
    if atoms.other > inner / 2:
        return "amorphous"
    if atoms.icosahedral > 0 or found.axes_meet:
        return "icosahedral"
    if found.fivefold_axes > 0:
        return "decahedral" if found.fivefold_axes == 1 else "tetrahedral"
    return close_packing(atoms, found.stacked_hcp)


def close_packing(atoms: Inner, stacked_hcp: int) -> str:
    """How close-packed layers follow each other, where nothing else is there."""
    if atoms.hcp == 0:
        return "fcc"
    return "hcp" if stacked_hcp > atoms.fcc else "twinned"
