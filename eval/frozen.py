"""The gold, frozen: a hash for each of its files, so that no figure improves by changing the questions."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from eval.dataset import DatasetError

GOLD = Path(__file__).parent / "gold"
FROZEN = "frozen.json"
FREEZE = "python -m eval validate --freeze"


def freeze(folder: Path = GOLD) -> dict[str, str]:
    """Write the sha256 of each file of the gold, by its path below the folder, and return them."""
    found = {path.relative_to(folder).as_posix(): _sha256(path) for path in _files(folder)}
    (folder / FROZEN).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return found


def check_frozen(folder: Path = GOLD) -> int:
    """Prove that the gold is what was frozen.

    Returns:
        How many files were proved.

    Raises:
        DatasetError: A file differs, is missing or is new, one line a file; or the hashes are not there.
    """
    if not (folder / FROZEN).exists():
        raise DatasetError(f"{folder / FROZEN}: there is no such file. Put it back, or write it: `{FREEZE}`.")
    frozen = _read(folder / FROZEN)
    there = {path.relative_to(folder).as_posix(): _sha256(path) for path in _files(folder)}
    faults = [
        f"{folder / name}: its sha256 is {there.get(name, 'missing')}, and was frozen as "
        f"{frozen.get(name, 'nothing')}. Put it back, or freeze it anew: `{FREEZE}`."
        for name in sorted(frozen.keys() | there.keys())
        if frozen.get(name) != there.get(name)
    ]
    if faults:
        raise DatasetError("\n".join(faults))
    return len(frozen)


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != FROZEN]


def _read(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.read_bytes())
        return {str(name): str(value) for name, value in found.items()}
    except (ValueError, AttributeError):
        raise DatasetError(f"{path}: not a JSON object of hashes. Write it anew: `{FREEZE}`.") from None


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
