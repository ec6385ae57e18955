"""How the shipped six-element potential was made: structures, labels, references of the acceptance."""
