"""Errors that a person can act on, sorted by whether trying again can help."""


class AssetError(Exception):
    """One asset cannot be built; the message is one line: field, found, wanted."""


class InputError(AssetError):
    """What the person gave is wrong (a file, a field, a weight): only changing it can help."""


class PassingError(AssetError):
    """The world was in the way (disk, memory, network): the same input may succeed later."""
