"""Search for low-energy clusters: a genetic algorithm or basin hopping that drives LAMMPS minimisations over MPI.

    from hea_potential.search import search
    archive = search("Cu10Ni10Pd10", budget=500, seed=1)     # None on the ranks of mpirun other than 0
    archive.lowest(10)
    archives = search(["Cu13", "Cu7Ni6", "Ni13"], budget="10min", out="runs/CuNi")     # a dict, by formula

The rooms, in the order in which they build on each other: `composition`, `ratios` and `geometry` (what a cluster is);
`similarity`, `motif`, `point_group`, `shells` (what is said of one); `chance`, `symmetry`, `surface`, `symmetrise`,
`starts`, `moves` (how one is made); `pair`, `instance`, `bonds`, `minimise` (LAMMPS); `tasks` (one unit of work),
`workers`, `witness` (who does it, and what of it died); `archive`, `journal`, `rows`, `database`, `identity` (what was
found, and of which run); `bandit`, `population`, `improvement`, `refinement`, `genetic`, `basin_hopping` (what to do
next); `orderings`, `relaxed_swaps`, `ordering_model`, `learnt_orderings`, `sites`, `homotops`, `relaxed_ordering`
(which element sits where); `budget`, `settings`, `plan`, `turns`, `saddles`, `state`, `loop`, `run` (the search as a
whole); `progress`, `description`, `result_table`, `summary`, `hull`, `series`, `colours`, `pictures`, `view` (what a
person sees); `bench`, `trials`, `sutton_chen`, `emt` (what a search costs until it finds what is known).

LAMMPS and mpi4py are imported only where they are used, in `instance` and `workers`.
"""

from hea_potential.search.archive import Archive, Minimum
from hea_potential.search.composition import Composition
from hea_potential.search.relaxed_ordering import best_ordering
from hea_potential.search.run import search

__all__ = ["Archive", "Composition", "Minimum", "best_ordering", "search"]
