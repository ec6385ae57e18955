"""Search for low-energy clusters: a genetic algorithm or basin hopping that drives LAMMPS minimisations over MPI.

    from hea_potential.search import search
    archive = search("Cu10Ni10Pd10", budget=500, seed=1)     # None on the ranks of mpirun other than 0
    archive.lowest(10)

The rooms, in the order in which they build on each other: `composition` and `geometry` (what a cluster is),
`similarity`, `starts`, `moves`; `pair`, `instance`, `bonds`, `minimise` (LAMMPS); `tasks` (one unit of work),
`workers` (who does it); `archive`, `journal`, `database`, `identity` (what was found, and of which run); `population`,
`genetic`, `basin_hopping` (what to do next); `state`, `loop`, `run` (the search as a whole); `progress`, `summary`,
`pictures` (what a person sees); `orderings`, `sites`, `homotops`, `relaxed_ordering` (which element sits where);
`bench`, `trials`, `sutton_chen` (what a search costs until it finds what is known).

LAMMPS and mpi4py are imported only where they are used, in `instance` and `workers`.
"""

from hea_potential.search.archive import Archive, Minimum
from hea_potential.search.composition import Composition
from hea_potential.search.relaxed_ordering import best_ordering
from hea_potential.search.run import search

__all__ = ["Archive", "Composition", "Minimum", "best_ordering", "search"]
