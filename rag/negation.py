"""Text -> what it denies, and whether two texts deny and affirm the same.

A denial is a negating word and the word it governs: "was not released" denies "release". It is read
by window and clause, without a parser; the limits stand at `find_denials`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from rag.words import FUNCTION_WORDS, Word, stem

Force = Literal["not", "never", "fail", "refuse", "deny", "ban", "lack"]

_NOT = frozenset("not no none nobody nothing neither nor nowhere without cannot".split())
_SUBJECTS = frozenset("no none nobody nothing neither".split())
_FAIL = "fail fails failed failing failure failures unable unwilling".split()
_REFUSE = "refuse refuses refused refusing refusal refusals".split()
_DENY = (
    "deny denies denied denying denial refute refutes refuted refuting reject rejects rejected rejecting"
).split()
_BAN = (
    "ban bans banned banning barred barring prohibit prohibits prohibited forbid forbids forbidden forbade"
).split()
_PREVENT = "prevent prevents prevented preventing".split()
_LACK = "lack lacks lacked lacking".split()
_VERBS: dict[str, Force] = {
    **dict.fromkeys(_FAIL, "fail"),
    **dict.fromkeys(_REFUSE, "refuse"),
    **dict.fromkeys(_DENY, "deny"),
    **dict.fromkeys([*_BAN, *_PREVENT], "ban"),
    **dict.fromkeys(_LACK, "lack"),
}
_CARRIERS: dict[Force, frozenset[Force]] = {
    "not": frozenset({"not", "never", "fail", "refuse", "deny", "ban", "lack"}),
    "never": frozenset({"never"}),
    "fail": frozenset({"fail", "not", "never"}),
    "refuse": frozenset({"refuse"}),
    "deny": frozenset({"deny"}),
    "ban": frozenset({"ban"}),
    "lack": frozenset({"lack", "not"}),
}
_REACH = 30
"""How far a negating word is looked after (words)."""
_NO_DENIAL = frozenset("only just merely simply least doubt matter exactly".split())
_NOT_ADVERBS = frozenset(
    "comply apply reply supply rely imply fly family assembly ally multiply only bully".split()
)
_TURNS = frozenset("but while although though because whereas however".split())
_JOINTS = _TURNS | set("if that who which when where why how after before until unless and or".split())
"""Where one clause ends and the next begins, as far as clauses are compared."""
_AUXILIARIES = frozenset(
    "am is are was were be been has have had do does did will would shall should can could may must".split()
)
_LIGHT = frozenset(
    """mean means meant say says said saying claim claims claimed think thinks thought believe believes
    believed know knows knew known suggest suggests suggested imply implies implied want wants wanted
    expect expects expected seem seems seemed appear appears appeared able need needs needed make makes
    made get gets got go goes went try tries tried allow allows allowed evidence proof indication sign
    signs reason way longer clear true certain sure likely possible case always ever really fully yet quite
    exactly entirely necessarily clearly immediately actually anything anyone anybody time""".split()
)


class Denial(NamedTuple):
    """A denial where it stands.

    Attributes:
        start: Where its negating word begins, in characters.
        end: Where that word ends, exclusive.
        force: Which sort of word it is.
        heads: Stems of the words it denies; empty where it governs none ("Telegram was banned").
        places: Where those words stand among the words of the text, from 0.
    """

    start: int
    end: int
    force: Force
    heads: tuple[str, ...]
    places: tuple[int, ...]

    def carries(self, other: Denial) -> bool:
        """Whether a text with this denial has said `other`.

        Any denial of the same word carries a "not"; a verb of denying needs one of its own sort, and
        "never" a "never".
        """
        if self.force not in _CARRIERS[other.force]:
            return False
        if not other.heads:
            return self.force == other.force or (other.force == "not" and self.force == "never")
        return bool(set(self.heads) & set(other.heads))


class Occurrence(NamedTuple):
    """One content word of a text: its stem, whether it is denied, its clause and the one before as stems."""

    stem: str
    denied: bool
    clause: frozenset[str]
    before: frozenset[str]

    def nearness(self, other: Occurrence) -> tuple[int, int]:
        """How many words the clauses of the two share, and then the clauses before them."""
        return len(self.clause & other.clause), len(self.before & other.before)


@dataclass(frozen=True, slots=True)
class Polarity:
    """What a text denies and affirms."""

    denials: tuple[Denial, ...]
    occurrences: tuple[Occurrence, ...]


def find_denials(words: Sequence[Word]) -> list[Denial]:
    """The denials among the words of a text.

    A negating word governs the first content word after it in its clause, past adverbs, past verbs and
    nouns that only frame ("does not mean Telegram is perfect" denies "perfect") and past names; "no
    users were harmed" denies the verb after the auxiliary. "failed to", "refused to", "denied that",
    "barred from" and "lack of" govern likewise; without their particle they are words that must stand.

    What is not seen: denial by prefix ("unlawful"), by verbs not listed ("halted"), of a second word
    without its own "not" or "or" ("did not stay and talk"), across a comma, and the difference between
    said and merely reported or supposed ("if he knew").
    """
    denials: list[Denial] = []
    for place, word in enumerate(words):
        lower = word.text.lower()
        if _negates(words, place, lower):
            denials.append(_deny(words, place, place + 1, "never" if lower == "never" else "not", lower))
        elif _contrasts(words, place, lower):
            denials.append(_deny(words, place, place + 2, "not", lower)._replace(end=words[place + 1].end))
        elif (force := _VERBS.get(lower) or _declines(words, place, lower)) and (
            governed := _govern(words, place, force)
        ):
            denials.append(governed)
    return denials


def _negates(words: Sequence[Word], place: int, lower: str) -> bool:
    if lower not in _NOT and lower != "never" and not lower.endswith("n't"):
        return False
    following = words[place + 1] if place + 1 < len(words) else None
    if following and "," in following.gap and lower == "no":
        return False  # "No, he left"
    if lower == "no" and (following is None or (following.text[0].isdigit() and following.stop)):
        return words[place].stop and following is None  # "peaked at No. 5", cut or not
    if following is None or following.stop:
        return True
    bound = following.text.lower() in {"more", "fewer", "less"} and _next(words, place + 1) == "than"
    return not bound and following.text.lower() not in _NO_DENIAL


def _contrasts(words: Sequence[Word], place: int, lower: str) -> bool:
    following = words[place + 1].text.lower() if place + 1 < len(words) else ""
    return (lower, following) in {("rather", "than"), ("instead", "of")}


def _declines(words: Sequence[Word], place: int, lower: str) -> Force | None:
    declines = lower in {"decline", "declines", "declined", "declining"}
    return "refuse" if declines and _next(words, place) == "to" else None


def _next(words: Sequence[Word], place: int) -> str:
    ahead = place + 1
    return words[ahead].text.lower() if ahead < len(words) and not words[ahead].stop else ""


def _govern(words: Sequence[Word], place: int, force: Force) -> Denial | None:
    following = _next(words, place)
    begin = 0
    if (
        (force in {"fail", "refuse"} and following == "to")
        or force == "lack"
        or (force == "deny" and (following == "that" or (following.endswith("ing") and following != "ing")))
    ):
        begin = place + 1
    elif force == "ban":
        begin = _from(words, place)
    if not begin and words[place].text.lower() in _PREVENT:
        return None
    if not begin:
        return Denial(words[place].start, words[place].end, force, (), ())
    return _deny(words, place, begin, force, "")


def _from(words: Sequence[Word], place: int) -> int:
    """Where what is banned begins: after "from", or after "on" before a word in -ing; 0 where it does not."""
    for ahead in range(place + 1, min(place + 6, len(words) - 1)):
        if words[ahead].stop:
            return 0
        lower, following = words[ahead].text.lower(), _next(words, ahead)
        if following.endswith("ing") and (lower == "from" or (lower == "on" and ahead == place + 1)):
            return ahead + 1
    return 0


def _deny(words: Sequence[Word], place: int, begin: int, force: Force, negator: str) -> Denial:
    head = _head(words, begin)
    if head is not None and negator in _SUBJECTS:
        head = _verb_after(words, head) or head
    places = [] if head is None else [head]
    if head is not None and _next(words, head) in {"or", "nor"}:
        second = _head(words, head + 2)
        places += [] if second is None else [second]
    heads = tuple(stem(words[at].fold) for at in places)
    return Denial(words[place].start, words[place].end, force, heads, tuple(places))


def _head(words: Sequence[Word], begin: int) -> int | None:
    light: int | None = None
    name: int | None = None
    for place in range(begin, min(begin + _REACH, len(words))):
        word = words[place]
        found = light is not None or name is not None
        if word.stop and place > 0 and (found or any(mark in word.gap for mark in ".!?;:\n")):
            break
        lower = word.text.lower()
        if lower in _TURNS:
            break
        if lower in FUNCTION_WORDS:
            continue
        if word.capital and not word.stop:
            name = place if name is None else name
        elif lower in _LIGHT or (lower.endswith("ly") and lower not in _NOT_ADVERBS):
            light = place if light is None else light
        else:
            return place
    return light if light is not None else name


def _verb_after(words: Sequence[Word], head: int) -> int | None:
    for place in range(head + 1, min(head + 5, len(words))):
        if words[place].stop:
            return None
        if words[place].text.lower() in _AUXILIARIES:
            return _head(words, place + 1)
    return None


def read_polarity(words: Sequence[Word], denials: Sequence[Denial]) -> Polarity:
    """Which content words of a text stand denied, and which affirmed; two denials of one word cancel."""
    denied: set[int] = set()
    for denial in denials:
        denied ^= set(denial.places)
    occurrences: list[Occurrence] = []
    before: frozenset[str] = frozenset()
    for places in filter(None, _clauses(words)):
        stems = [stem(words[place].fold) for place in places]
        clause = frozenset(stems)
        marked = zip(stems, places, strict=True)
        occurrences += (Occurrence(word, place in denied, clause, before) for word, place in marked)
        before = clause
    return Polarity(tuple(denials), tuple(occurrences))


def _clauses(words: Sequence[Word]) -> Iterator[list[int]]:
    """Places of the content words, clause by clause."""
    clause: list[int] = []
    for place, word in enumerate(words):
        lower = word.text.lower()
        if word.stop or lower in _JOINTS:
            yield clause
            clause = []
        if lower not in FUNCTION_WORDS:
            clause.append(place)
    yield clause


def turned(sentence: Polarity, evidence: Sequence[Polarity]) -> list[str]:
    """Stems that the sentence denies and the evidence affirms, or the reverse.

    Each is compared where the evidence comes nearest: in the clauses that share most words with
    the sentence's clause; where several are as near, one that agrees is enough.

    Returns:
        The stems, in the order of the sentence; words that the evidence has not at all are not among them.
    """
    said: dict[str, set[Occurrence]] = {}
    for polarity in evidence:
        for occurrence in polarity.occurrences:
            said.setdefault(occurrence.stem, set()).add(occurrence)
    different = dict.fromkeys(sentence.occurrences)  # a text may say the same ten thousand times
    return [mine.stem for mine in different if not _agrees(mine, said.get(mine.stem, set()))]


def _agrees(mine: Occurrence, theirs: Collection[Occurrence]) -> bool:
    if all(other.denied == mine.denied for other in theirs):
        return True
    nearest = max(mine.nearness(other) for other in theirs)
    return any(other.denied == mine.denied for other in theirs if mine.nearness(other) == nearest)
