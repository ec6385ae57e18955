"""Which structures an epoch visits when a trained model meets new data: all new ones, and some of the old."""

from dataclasses import dataclass

import numpy as np

__all__ = ["Replay"]


@dataclass(frozen=True)
class Replay:
    """Every epoch has all structures `new` [n], indices, and `old` of the others, drawn anew each time.

    A model that sees new structures alone forgets the old; one that sees all of a large data set for a few new ones
    learns slowly.
    """

    new: np.ndarray
    old: int

    def size(self, total: int) -> int:
        """Structures of an epoch, of a set of `total`."""
        return min(len(self.new) + self.old, total)

    def order(self, total: int, generator: np.random.Generator) -> np.ndarray:
        """The structures of one epoch in random order, indices of a set of `total`."""
        others = np.setdiff1d(np.arange(total), self.new)
        drawn = generator.choice(others, min(self.old, len(others)), replace=False)
        return generator.permutation(np.concatenate([self.new, drawn]))
