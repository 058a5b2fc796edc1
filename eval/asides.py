"""Words around a value by which a sentence does not state it: it asks, supposes, refuses or ends it.

    sentence + place of a value + what the fact says itself -> set aside, or not

Read by window and clause, without a parser. A word counts only where the fact itself does not have it: "He
refused to hand over the keys" states what a fact quotes as refused.
"""

from __future__ import annotations

import re

CLAUSES = frozenset(
    "but while although though because whereas however who which when where why how after before unless "
    "if".split()
)
"""Words with which another clause begins."""

_QUESTION = re.compile(r"\?[\s\"'\u2019\u201d)\]]*$")
_SUPPOSED = re.compile(
    r"^\W*(?:had|were|should|if|unless|suppose|supposing|assuming)\b"
    r"|\b(?:unclear|uncertain|unknown|doubtful|doubt(?:ed|s)?|ask(?:ed|s)?|wonder(?:ed|s)?|question(?:ed)?)"
    r"(?: \w+)? (?:if|whether)\b",
    re.I,
)
_BEFORE = {
    "false": re.compile(
        r"\b(?:false|untrue|wrong|incorrect|a lie|a myth|a rumou?r|not true|not the case|not so) that\b"
        r"|\bfalsely\b|\bfar from\b|\banything but\b",
        re.I,
    ),
    "refuse": re.compile(
        r"\b(?:refus(?:e[sd]?|ing|als?)|declin(?:e[sd]?|ing)) to\b"
        r"|\b(?:den(?:y|ies|ied|ying)|disput(?:e[sd]?|ing)|refut(?:e[sd]?|ing)|reject(?:s|ed|ing)?)"
        r" (?:that|(?:ever )?(?!being\b)\w+ing)\b",
        re.I,
    ),
    "end": re.compile(
        r"\b(?:stop(?:s|ped)?|ceas(?:e[sd]?|ing)|quit|gave up|giv(?:es|en|ing) up|lost|renounced?"
        r"|relinquish(?:ed|es)?|abandon(?:ed|s|ing)?|put an end to|(?<!is )(?<!was )(?<!are )used to)\b",
        re.I,
    ),
}
"""What stands before a value and takes it away, by sort."""

_KNOWN = re.compile(
    r"\b(?:refus|declin|den(?:y|ie)|disput|refut|reject|fail|not\b|never\b)|n[\u2019']t\b", re.I
)
"""A fact that has one of these refuses or denies by itself."""

_UNDONE = re.compile(
    r"^[^.,;:!?]{0,40}?\b(?:was|were|is|are|be|been|being)"
    r" (?:later |then |since |soon |also |all |wholly |simply )?"
    r"(?:refused|rejected|denied|turned down|overturned|revoked|withdrawn|cancell?ed|quashed|waived|lifted"
    r"|false|untrue|wrong|incorrect|a lie|a myth|a rumou?r"
    r"|not (?:granted|approved|accepted|allowed|set|imposed|paid|true|so|the case))"
    r"(?=\s*(?:[.,;:!)]|$|(?:by|in|at|last|on|outright|yesterday|and|but|as|for|when|after)\b))",
    re.I,
)
_OVER = re.compile(r"\bno longer\b|\bany ?more\b", re.I)
_ENDED = re.compile(
    r"\b(?:but|and|though|although|yet)(?: \w+)?(?: (?:is|does|do|are|has|was))?"
    r" (?:no longer|not any ?more)(?: (?:is|does|do|are|has|so|the case|true))*\W*$",
    re.I,
)


def is_set_aside(text: str, span: tuple[int, int], known: str) -> bool:
    """Whether the words around a place in a sentence leave what stands there unstated.

    Args:
        text: The sentence.
        span: The place, in characters of the text.
        known: What the fact says itself: its quote and its spellings.

    Examples:
        >>> asked, place = "Was bail 5 million euros?", (9, 24)
        >>> is_set_aside(asked, place, "bail of 5 million euros")
        True
    """
    before, after = text[: span[0]], text[span[1] :]
    if _QUESTION.search(text) and "?" not in known:
        return True
    if any(
        _is_same_clause(before[match.end() :]) and not (_KNOWN if sort == "refuse" else pattern).search(known)
        for sort, pattern in _BEFORE.items()
        for match in pattern.finditer(before)
    ):
        return True
    if not _SUPPOSED.search(known) and any(
        _is_same_clause(before[match.end() :]) for match in _SUPPOSED.finditer(before)
    ):
        return True
    undone = _UNDONE.search(after)
    if undone and undone.group().split()[-1].lower() not in known.lower():
        return True
    return _ENDED.search(after) is not None and _OVER.search(known) is None


def _is_same_clause(between: str) -> bool:
    """Whether no other clause begins in the words between."""
    words = re.findall(r"\w+|[,;:()\u2013\u2014]", between.lower())
    return not any(word in CLAUSES or word == "and" or not word[0].isalnum() for word in words)
