"""From a model's name to its files, their hashes and their licence.

`entry` says what the registry (configs/models.yaml) holds, `resolve` finds a model's files on this
machine, `trees` finds them by name in the folders that artists share between their tools, `lock`
pins what was fetched first, `fetch` downloads and verifies, `licences` refuses and lists.
Importing this package imports neither torch nor huggingface_hub.
"""

from assets3d.models.entry import Entry, Part, read_entry
from assets3d.models.files import EMBEDDED_FOLDER, ModelFiles, sha256_of
from assets3d.models.resolve import resolve, resolve_file

__all__ = [
    "EMBEDDED_FOLDER",
    "Entry",
    "ModelFiles",
    "Part",
    "read_entry",
    "resolve",
    "resolve_file",
    "sha256_of",
]
