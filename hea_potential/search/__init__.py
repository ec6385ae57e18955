"""Search for low-energy clusters: an evolutionary method that drives LAMMPS minimisations over MPI.

    from hea_potential.search import search
    archive = search("Cu10Ni10Pd10", budget=500, seed=1)     # None on the ranks of mpirun other than 0
    archive.lowest(10)

The rooms, in the order in which they build on each other: `composition`, `geometry` (what a cluster is), `similarity`,
`starts`, `moves`, `minimise` (LAMMPS), `tasks` (one unit of work), `workers` (who does it), `population` and `genetic`
(what to do next), `archive`, `journal` and `database` (what was found), `progress`, `summary` and `pictures` (what a
person sees), `run` (the loop).

LAMMPS and mpi4py are imported only where they are used, in `minimise` and `workers`.
"""

from hea_potential.search.archive import Archive, Minimum
from hea_potential.search.composition import Composition
from hea_potential.search.run import search

__all__ = ["Archive", "Composition", "Minimum", "search"]
