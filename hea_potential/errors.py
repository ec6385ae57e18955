"""The errors that hea-potential raises on purpose.

Every message says what was wrong, what was got and what is allowed. The command line shows one as a single line and
ends with exit code 2; anything else that escapes is a bug and shows its traceback.
"""

__all__ = ["HEAError", "InputError", "MissingPackageError", "ModelFileError", "OutputError"]


class HEAError(Exception):
    """Base of all errors that a user can cause and correct."""


class InputError(HEAError, ValueError):
    """A structure, option or configuration that cannot be used: unknown element, NaN position, value out of range."""


class ModelFileError(HEAError, ValueError):
    """A model file that is missing, damaged, of another format or of a version that this package does not read."""


class OutputError(HEAError, OSError):
    """A result that cannot be written: missing or unwritable folder, full disk."""


class MissingPackageError(HEAError, ImportError):
    """A command or method needs a package of an extra that is not installed; the message says how to install it."""
