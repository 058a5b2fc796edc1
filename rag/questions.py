"""What a question asks for: its parts and names, and whether it asks for an opinion, or for nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

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
_SUBJECT_BEGINS = re.compile(rf"\b{_HELPS} $", re.IGNORECASE)
_PERSON = re.compile(r"\b(?:(?P<own>his)|he|she|him|her(?=\W*$))\b", re.IGNORECASE)
"""Words for a person; "her" before a word may be its owner or not."""
_SOMEBODY = re.compile(r"\b(?:the|an?|this|that|his|her|their|its|my|our|your)\b", re.IGNORECASE)
"""Words before somebody else whom a question may be about, too."""
_WHO = re.compile(r"\bwho(?:m|se)?\b", re.IGNORECASE)
FEWEST_WORDS = 3
"""A part of a question has at least so many words: "who and why" is one."""

_YOU = re.compile(
    r"\b(?:do|don't|did|would) you (?:\w+ly )?(?:think|believe|feel|prefer|like|love|hate|admire|guess)\b"
    r"|(?<!\bhow )\b(?:do|don't|would) you (?:\w+ly )?(?:agree(?! to\b)|disagree|trust)\b"
    r"|\bwould you (?:\w+ly )?(?:(?:have|do|choose)\b(?! to\b)|(?:rather|recommend|say|want)\b)"
    r"|\b(?:do|would) you personally (?:hold|find|consider|regard|support|want|see)\b"
    r"|\bwould you\b.{0,200}\bif you were (?:the|him|her|them|in (?:his|her|their))\b"
    r"|\bhow (?!\w+ly\b|often\b|many|much|long|fast|soon|far\b|old|early|late\b|else|then|best)\w+"
    r" (?:do|would) you (?:find|rate)\b"
    r"|\bare you (?:on|for|against|in favou?r)\b"
    r"|\byour (?:own )?(?:favou?rite|opinion|thoughts?|feelings?|verdict)\b"
    r"|\b(?:in|is|was|what's) your (?:own )?(?:view|take|side|guess|choice)\b",
    re.IGNORECASE,
)
_GREETING = (
    r"hi|hello|hey|greetings|good (?:morning|afternoon|evening|night|day)|how are you|thanks|thank you|thx"
    r"|bye|goodbye|see you"
)
_COURTESY = re.compile(
    rf"(?=.*\b(?:{_GREETING})\b)\W*(?:(?:{_GREETING}|a lot|so much|very much|there|everyone|all|again|ok"
    r"|okay|fine|great|cool|nice|sorry|please|yes|no|sure|cheers)\b\W*)+",
    re.IGNORECASE | re.DOTALL,
)
_QUOTED = re.compile(r"[\"“«][^\"”»]*[\"”»]")


def parts(question: str) -> list[str]:
    """A question that asks for several things as one question for each, else the question alone.

    Examples:
        >>> parts("When was he arrested, and how much was the bail?")
        ['When was he arrested', 'how much was the bail?']
        >>> parts("Who decides when and how he may travel?")
        ['Who decides when and how he may travel?']
    """
    found = [part.strip() for part in _AND.split(question)]
    whole = all(len(part.split()) >= FEWEST_WORDS and _ASKING.search(part) for part in found)
    ended = not any(_OPEN.search(part) for part in found[:-1])
    return found if len(found) > 1 and whole and ended else [question]


def standing_alone(asked: Sequence[str]) -> list[str]:
    """The parts of a question, each with the person it is about named, as far as that is sure.

    Where a part is about one name alone, as its subject, a "he" or "she" in the next is that; not in one that
    has somebody else before it, and no "it" or "they", which may be anything.

    Examples:
        >>> standing_alone(["What did Lovelace write", "where did she live?"])
        ['What did Lovelace write', 'where did Lovelace live?']
        >>> standing_alone(["Where did Lovelace meet her husband", "when did he die?"])
        ['Where did Lovelace meet her husband', 'when did he die?']
    """
    alone, name = [], ""
    for part in asked:
        match = _PERSON.search(part)
        if name and match and not _SOMEBODY.search(part[: match.start()]):
            named = f"{name}'s" if match["own"] else name
            alone.append(f"{part[: match.start()]}{named}{part[match.end() :]}")
        else:
            alone.append(part)
            name = _subject(part) or (name if match else "")
    return alone


def _subject(question: str) -> str:
    """The name that a question is about: after its first auxiliary, with no other and nobody else in it."""
    names = [fact for fact in find_facts(question) if fact.kind == "name"]
    if len(names) != 1 or _SOMEBODY.search(question) or _WHO.search(question):
        return ""
    begins = _SUBJECT_BEGINS.search(question[: names[0].start])
    owned = re.match(r"['’]s?\b", question[names[0].end :])
    return names[0].text if begins and not owned else ""


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
