"""Whether a text states a value: in one of its spellings, or in any spelling of a typed one."""

from __future__ import annotations

import re
import unicodedata

from rag.facts import find_facts, same

_SEPARATED = re.compile(r"(?<![\d.,])\d{1,3}(?:[,'\u2019\u00a0\u2009\u202f]\d{3})+(?!\d)")
_QUOTES = str.maketrans("\u2018\u2019\u02bc\u201c\u201d\u00ab\u00bb", "'''" + '"' * 4)
_DASHES = re.compile(r"[-\u2010-\u2015]")


def normalise(text: str) -> str:
    """Fold what does not change a value: case, white space, quotes, dashes, thousands separators.

    Examples:
        >>> normalise("EUR 5,000,000  “Twice-weekly”")
        'eur 5000000 "twice weekly"'
    """
    text = _SEPARATED.sub(lambda match: re.sub(r"\D", "", match.group()), text)
    text = unicodedata.normalize("NFKC", text).translate(_QUOTES)
    return " ".join(_DASHES.sub(" ", text).casefold().split())


def states(spelling: str, text: str) -> bool:
    """Whether the spelling stands in the text, as whole words and whole numbers.

    Examples:
        >>> states("5 million", "Bail was 5 million euros."), states("5 million", "Bail was 2.5 million.")
        (True, False)
        >>> states("1%", "The 0.001% involved"), states("€5M", "a bail of €5m")
        (False, True)
    """
    words = normalise(spelling)
    if not words:
        return False
    before = r"(?<!\w)(?<!\d[.,])" if words[0].isalnum() else ""
    after = r"(?!\w|[.,]\d|\s?%)" if words[-1].isalnum() else ""
    return re.search(before + re.escape(words) + after, normalise(text)) is not None


def states_value(kind: str, value: str, text: str) -> bool:
    """Whether a typed fact of the text is the same as the value, by `rag.facts`.

    False where the value is not exactly one fact of its kind: spellings alone decide then.

    Examples:
        >>> states_value("money", "5 million euros", "a bail of EUR 5,000,000")
        True
        >>> states_value("money", "5 million euros", "a bail of $5M")
        False
    """
    wanted = [fact for fact in find_facts(value) if fact.kind == kind]
    return len(wanted) == 1 and any(same(wanted[0], fact) for fact in find_facts(text))
