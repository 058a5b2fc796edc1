"""A process of its own that opens written generations: a broken one can take its process along.

The process stays for further probes, since importing Chroma takes a second, and ends with ours.
"""

from __future__ import annotations

import atexit
import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

from rag.errors import StoreError
from rag.generation import Generation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

T = TypeVar("T")

_PROBES = 16
_SAME = 1e-3  # a cosine distance that rounding explains


def spread(rows: Sequence[T]) -> Sequence[T]:
    """A few of many, evenly spread: those to probe with."""
    return rows[:: max(1, len(rows) // _PROBES)]


def probe(folder: Path, chunk_ids: Sequence[str], vectors: NDArray[np.float32]) -> None:
    """Open a written generation in another process and search in it.

    Args:
        folder: The generation.
        chunk_ids: All its chunks, in order.
        vectors: Of a few of them, [probed, dimension]; each must be found.

    Raises:
        StoreError: It does not open, or does not find what was put into it.
    """
    asked = {"folder": str(folder.absolute()), "chunk_ids": list(chunk_ids), "vectors": vectors.tolist()}
    reason = _PROBER.ask(asked)
    if reason:
        raise StoreError(
            f"The new generation `{folder}` does not serve: {reason}. Run `citewell index` again."
        )


class _Prober:
    """The other process, started at the first question and again after it died."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None

    def ask(self, asked: dict[str, Any]) -> str:
        """Why a generation does not serve; empty where it does."""
        with self._lock:
            process = self._alive()
            said = ""
            try:
                _written(process.stdin, json.dumps(asked))
                said = process.stdout.readline() if process.stdout else ""
            except BrokenPipeError:
                pass
            except BaseException:
                # an answer that nobody read must not be taken for that of the next question
                process.kill()
                self.end()
                raise
            if said:
                return str(json.loads(said))
            self.end()
            return f"the process that opened it ended with {process.returncode}"

    def _alive(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            self.end()
            command = [sys.executable, "-P", "-m", "rag.probe"]
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )
        return self._process

    def end(self) -> None:
        """End the process, if there is one; it ends by itself where its input does."""
        if self._process is not None:
            self._process.communicate()
            self._process = None


_PROBER = _Prober()
atexit.register(_PROBER.end)


def _written(stream: IO[str] | None, line: str) -> None:
    if stream is not None:
        stream.write(line + "\n")
        stream.flush()


def _fault(asked: dict[str, Any]) -> str:
    import numpy as np

    try:
        generation = Generation(Path(asked["folder"]), asked["chunk_ids"], {})
        generation.bm25("probe")
        vectors = [np.asarray(vector, dtype=np.float32) for vector in asked["vectors"]]
        distances = [generation.distance(vector) for vector in vectors]
        generation.close()
    except Exception as error:
        return " ".join(f"{error}".split())
    return "a chunk is not found by its own vector" if max(distances) > _SAME else ""


def _serve() -> None:
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_fault(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve()
