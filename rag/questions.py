"""What a question asks for: its parts and names, and whether it asks for an opinion, or for nothing."""

from __future__ import annotations

import re
from collections.abc import Callable

from rag.facts import find_facts
from rag.names import TITLES, is_people, kin
from rag.terms import FUNCTION_WORDS, terms

_HELPS = r"(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|shall|should|must|may|might)"
_SUBJECT = r"(?:he|she|it|they|we|you|i|the|an?|this|that|these|those|his|her|its|their)\b"
_ASKS = (
    rf"(?:(?:who|whom|whose|what|which)\b|(?:when|where|why) {_HELPS}\b"
    rf"|how (?!{_SUBJECT})(?:\w+ ){{0,3}}?{_HELPS}\b"
    rf"|how (?:many|much) (?!{_SUBJECT})\w+ (?!{_SUBJECT})\w)"
)
"""How a question begins, other than a clause of one: "how may he travel", not "how he may travel"."""
_AND = re.compile(
    rf"(?:,\s+(?!(?:also\s+)?(?:who|whom|whose|which)\b)(?:and\s+)?|[;?]\s+(?:and\s+)?|\s+and\s+)"
    rf"(?:also\s+)?(?={_ASKS})|\?\s+(?=\w)",
    re.IGNORECASE,
)
"""Where a question ends and the next begins; ", who" and ", which" alone begin a clause."""
_ASKING = re.compile(rf"\b{_ASKS}|^\s*{_HELPS}\b", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[^\W\d_]{3}[.!?:;])(?<!\bProf\.)(?<!\bCapt\.)\s+")
_WHETHER = re.compile(rf"\s*{_HELPS}\b", re.IGNORECASE)
_OPEN = re.compile(r"\b(?:who|whom|whose|what|which|when|where|why|how)$", re.IGNORECASE)
"""How a part ends that goes on in the next: "Who decides when and how many may travel?"."""
_WHO = re.compile(r"\bwho(?:m|se)?\b", re.IGNORECASE)
_PRONOUN = re.compile(
    r"\b(?:(?P<own>his|its|their|her(?= (?!by|for|in|of|on|to|with)\w))|he|she|it|they|him|her|them)\b",
    re.IGNORECASE,
)
FEWEST_WORDS = 3
"""A part of a question has at least so many words: "who and why" is one."""

_YOU = re.compile(
    r"\b(?:do|don't|did|would) you (?:\w+ly )?(?:think|believe|feel|prefer|like|love|hate|admire|guess)\b"
    r"|(?<!\bhow )\b(?:do|don't|would) you (?:\w+ly )?(?:agree(?! to\b)|disagree|trust)\b"
    r"|\bwould you (?:\w+ly )?(?:(?:have|do|choose)\b(?! to\b)|(?:rather|recommend|say|want)\b)"
    r"|\bare you (?:on|for|against|in favou?r)\b"
    r"|\byour (?:own )?(?:favou?rite|opinion|thoughts?|feelings?|verdict)\b"
    r"|\b(?:in|is|was|what's) your (?:own )?(?:view|take|side|guess|choice)\b",
    re.IGNORECASE,
)
_COURTESY = re.compile(
    r"\W*(?:(?:hi|hello|hey|greetings|good (?:morning|afternoon|evening|night|day)|thanks?|thank you|cheers"
    r"|a lot|so much|very much|there|ok|okay|fine|great|cool|nice|sorry|please|yes|no|sure|bye|goodbye"
    r"|see you)\b\W*)+",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"[\"“«][^\"”»]*[\"”»]")


def parts(question: str) -> list[str]:
    """A question that asks for several things as one question for each, else the question alone.

    Each stands alone as far as can be told: where the earlier ones have one name, a later one that has none
    has it in place of its first pronoun. Where they ask who, the pronoun may be for that person, and stays.

    Examples:
        >>> parts("When was he arrested, and how much was the bail?")
        ['When was he arrested', 'how much was the bail?']
        >>> parts("What did Lovelace write, and where did she live?")
        ['What did Lovelace write', 'where did Lovelace live?']
        >>> parts("Who decides when and how he may travel?")
        ['Who decides when and how he may travel?']
    """
    found = [part.strip() for part in _AND.split(question)]
    whole = all(len(part.split()) >= FEWEST_WORDS and _ASKING.search(part) for part in found)
    ended = not any(_OPEN.search(part) for part in found[:-1])
    if len(found) < 2 or not whole or not ended:
        return [question]
    return [_standing_alone(part, " ".join(found[:at])) for at, part in enumerate(found)]


def _standing_alone(part: str, before: str) -> str:
    """A part of a question with the one name of the parts before it for its first pronoun."""
    names = {str(fact.value): fact.text for fact in find_facts(before) if fact.kind == "name"}
    if len(names) != 1 or _WHO.search(before) or any(fact.kind == "name" for fact in find_facts(part)):
        return part
    (name,) = names.values()
    return _PRONOUN.sub(lambda match: f"{name}'s" if match["own"] else name, part, count=1)


def unmentioned(question: str, mentions: Callable[[str], bool]) -> list[str]:
    """The names in a question of which no word stands in the documents: they can hardly tell of those.

    A name counts as mentioned where its country or its initials are.

    Args:
        question: The question, standing alone.
        mentions: Whether a word of a stem stands in the documents.

    Examples:
        >>> unmentioned("Who taught Ada Lovelace?", {"teach", "taught"}.__contains__)
        ['Ada Lovelace']
    """
    return [name for name in names_asked_about(question) if not any(map(mentions, _told_by(name)))]


def names_asked_about(question: str) -> list[str]:
    """The names in a question that documents would have, if they told of them.

    None of a question whether it is so, which a general rule may answer ("Do you ship to Norway?"), nor of a
    sentence without an English question word ("I live in Berlin."). Acronyms, which documents may write out,
    a people's name alone, words with digits, and a single first word, which may be none, are left out.

    Examples:
        >>> names_asked_about("Who taught Ada Lovelace in France?")
        ['Ada Lovelace', 'France']
    """
    names = (name for sentence in _SENTENCE.split(question) for name in _names_asked_about(sentence))
    return list(dict.fromkeys(names))


def _names_asked_about(sentence: str) -> list[str]:
    words = re.findall(r"[^\W\d_]+", sentence)
    titled = len(words) > 2 and all(word[0].isupper() for word in words)
    if titled or asks_whether(sentence) or not _ASKING.search(sentence):
        return []
    found = [(one.start, sentence[one.start : one.end]) for one in find_facts(sentence) if one.kind == "name"]
    return [name for start, name in found if (start or " " in name) and _may_stand(name)]


def _may_stand(name: str) -> bool:
    words = [word for word in _untitled(name) if len(word) > 1]
    unsure = any(word.removesuffix("s").isupper() or not word.isalpha() for word in words)
    return not unsure and not all(is_people(word.lower()) for word in words)


def _told_by(name: str) -> list[str]:
    """The stems by which documents would mention a name."""
    words = [word.lower() for word in _untitled(name)]
    initials = "".join(word[0] for word in words)
    told = [*words, initials] if len(words) > 1 and initials not in FUNCTION_WORDS else words
    return [stem for word in told for near in kin(word) for stem in terms(near)]


def _untitled(name: str) -> list[str]:
    return [word for word in re.findall(r"\w+", name) if word.lower() not in TITLES]


def asks_whether(question: str) -> bool:
    """Whether a question asks if something is so.

    Examples:
        >>> asks_whether("Has it 40 ships?"), asks_whether("How many has it?")
        (True, False)
    """
    return _WHETHER.match(question) is not None


def asks_documents(question: str) -> bool:
    """Whether a question asks for something that documents could say."""
    return not asks_for_an_opinion(question) and not asks_nothing(question)


def asks_for_an_opinion(question: str) -> bool:
    """Whether a question is for what the one asked thinks: no document says what that is.

    Examples:
        >>> asks_for_an_opinion("Do you think that he is a good person?")
        True
        >>> asks_for_an_opinion("Can you tell me how much the bail was?")
        False
    """
    return _YOU.search(_QUOTED.sub("", question)) is not None


def asks_nothing(question: str) -> bool:
    """Whether words are a greeting, thanks, or the like, and no question.

    Examples:
        >>> asks_nothing("Thanks a lot!"), asks_nothing("Who says thanks?")
        (True, False)
    """
    return _COURTESY.fullmatch(question) is not None
