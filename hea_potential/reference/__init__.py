"""Reference methods by name: what labels are made with.

| name              | what it is                                                                                     |
|-------------------|------------------------------------------------------------------------------------------------|
| `emt`             | ASE's effective-medium theory: for tests and tutorials                                         |
| `sevennet`        | 7net-mf-0, modal PBE, from the wheel `sevenn` (extra `reference`)                              |
| `chgnet`          | CHGNet 0.3.0, or `chgnet:r2scan`, from the wheel `chgnet` (extra `reference`)                  |
| `lammps:FILE`     | any pair style of LAMMPS, by a file of its lines (`hea_potential.pair_file`)                   |
| `gpaw`            | density-functional theory, PBE; `gpaw:FILE` with a TOML file of settings                       |
| `module:callable` | anything importable that returns an ASE calculator when called without arguments               |

Files and modules after the colon are looked for from the current folder. A calculator that writes files needs a folder
of its own in every process, which the callable chooses: several may label at once.

`reference_method` gives a way to make the calculator, and its provenance: a JSON document with the method, its settings
and the versions of the packages, kept with every data set. `check_elements` says before a run what a method cannot do;
`hash_of_file` tells methods apart that have one name because a file was changed.
"""

from hea_potential.reference.by_name import METHODS, check_elements, hash_of_file, reference_method
from hea_potential.reference.method import ReferenceMethod, versions

__all__ = ["METHODS", "ReferenceMethod", "check_elements", "hash_of_file", "reference_method", "versions"]
