"""Citewell: answers with citations that code has checked.

Examples:
    >>> from rag import open_engine  # doctest: +SKIP
    >>> engine = open_engine("docs")  # doctest: +SKIP
    >>> print(engine.ask("How much was the bail?").text)  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag.engine import open_engine as open_engine

__all__ = ["open_engine"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import the engine on first use: `import rag` costs next to nothing."""
    if name == "open_engine":
        from rag.engine import open_engine

        return open_engine
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
