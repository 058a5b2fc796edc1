"""Make the scorer's proof from a gold set: other spellings of its values, and values that only look alike.

    python tools/build_proof.py eval/gold/durov.jsonl eval/gold

It writes `equivalents.jsonl` and `mutants.jsonl`: a line is {"id", "rule", "kind", "value", "text",
"fact_id"}, where `fact_id` is the question's id and the value. An equivalent states the fact and a mutant
does not. Each is made by a named rule, in the words of the quote where the value can be taken out of it, else
in a plain sentence of its kind; each value is used once, in the first question that has it, and a rule for
at most `--most` values. What was read and found not to be what its rule promises stands in `REMOVED`, by its
text and with the reason.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from mutate import mutated
from respell import GREAT, ONES, Value, respelled

from eval.dataset import Question, load
from eval.values import normalise, states

FRAMES = {
    "money": ("The sum is {}.", "In all it comes to {}."),
    "count": ("There are {} in all.", "It comes to {}."),
    "percentage": ("The share is {}.", "It is {} of them."),
    "frequency": ("It takes place {}.", "That is done {}."),
    "duration": ("It lasts {}.", "The time is {}."),
    "date": ("The time given is {}.", "The date is {}."),
    "name": ("The name is {}.", "It is {}, as the article says."),
    "phrase": ("The words are: {}.", "It says {} there."),
    "negation": ("It {}.", "As it says, it {}."),
}
REMOVED: dict[str, str] = {}
"""Rows that were read and taken out: their text, and why."""

_AUXILIARY = re.compile(
    r"\b(was|were|is|are|has|have|had|will|can|could|should|would|must|may)\b(?! not\b)", re.I
)
_NEGATED = re.compile(
    r"\b(was|were|is|are|has|have|had|could|should|would|did|does|do)(?: not\b|n[\u2019']t\b)", re.I
)


def values(questions: Iterable[Question]) -> list[Value]:
    """The distinct values of a set, each with its first question."""
    found: dict[tuple[str, str], Value] = {}
    for question in questions:
        for kind, value in dict.fromkeys((fact.kind, fact.value) for fact in question.facts):
            facts = tuple(fact for fact in question.facts if (fact.kind, fact.value) == (kind, value))
            found.setdefault((kind, value.casefold()), Value(question, facts))
    return list(found.values())


def statements(
    value: Value, spellings: Iterable[tuple[str, str]], *, wrong: bool
) -> Iterator[tuple[str, str]]:
    """Sentences with a value replaced, each with its rule; in turn in the quote and in a plain sentence."""
    fact = value.fact
    places = value.places(fact)
    frames = FRAMES[fact.kind]
    for turn, (rule, spelling) in enumerate(spellings):
        text = spelling if spelling.endswith(".") and spelling.startswith(("There ", "He ")) else ""
        fits = places and _fits(value, spelling)
        text = text or (_replaced(fact.quote, places, spelling, _noun(value, spelling)) if fits else "")
        kept = wrong and any(
            states(accepted, _replaced(fact.quote, places, "...")) for accepted in fact.accepted
        )
        if text != spelling and (not text or kept or (turn % 3 == 2 and "age" not in rule)):
            text = frames[turn // 3 % 2].format(spelling)
        yield rule, text


def _fits(value: Value, spelling: str) -> bool:
    """Whether a spelling can stand where the value stands, as far as grammar goes."""
    alone = r"(?:an?|the|before|after|on|for|in|not|late in|every) "
    if re.match(alone, spelling, re.IGNORECASE) and "dozen" not in spelling:
        return False
    start, end = value.places(value.fact)[0]
    there, after = value.fact.quote[start:end], value.fact.quote[end:]
    if value.fact.kind == "name" and re.search(r"\b[a-z]{3,}", spelling):
        return False
    if value.fact.kind == "date" and len(spelling.split()) > 3:
        return False
    if value.fact.kind == "phrase":
        return normalise(spelling).strip('"') == normalise(there)
    return not (value.fact.kind == "frequency" and " " not in there and re.match(" [a-z]", after))


def _noun(value: Value, spelling: str) -> str:
    """What a count counts, where a spelling says what it counts: the noun must not stand there twice."""
    word = spelling.split()[-1]
    named = word.isalpha() and word not in GREAT and word not in ONES
    return value.fact.value.split()[-1] if value.fact.kind == "count" and named else ""


def _replaced(quote: str, places: list[tuple[int, int]], spelling: str, noun: str = "") -> str:
    text = quote
    for start, end in reversed(places):
        before, after = text[:start], text[end:]
        first, last = spelling.split()[0], noun or spelling.split()[-1]
        after = re.sub(rf"^(?:[\s-]+\w+){{0,2}}?[\s-]+{re.escape(last)}\b", "", after, flags=re.IGNORECASE)
        before = re.sub(rf"\b{re.escape(first)} $", "", before)
        if spelling.startswith(
            ("less", "more", "fewer", "under", "over", "almost", "nearly", "the ", "not ")
        ):
            before = re.sub(r"\b(?:nearly|almost|more than|a|an|the) $", "", before)
        text = before + spelling + after
    return text


def denials(value: Value, *, wrong: bool) -> Iterator[tuple[str, str]]:
    """The quote denied, or its own denial left out, where `wrong`; else its denial in other words."""
    quote = value.fact.quote
    if value.fact.kind == "phrase" or not value.places(value.fact):
        return
    negated, auxiliary = _NEGATED.search(quote), _AUXILIARY.search(quote)
    if wrong and negated:
        yield "denial left out", quote[: negated.end(1)] + quote[negated.end() :]
    elif negated:
        yield "denial in other words", quote[: negated.end(1)] + " not" + quote[negated.end() :]
        yield "denial in other words", quote[: negated.end(1)] + "n't" + quote[negated.end() :]
        yield "denial in other words", quote[: negated.end(1)] + "n\u2019t" + quote[negated.end() :]
    elif wrong and auxiliary and auxiliary.start() < value.places(value.fact)[0][0]:
        longer = ["no longer"] if auxiliary.group() in {"is", "are"} else []
        for word in ("not", "never", *longer):
            yield "denial added", f"{quote[: auxiliary.end()]} {word}{quote[auxiliary.end() :]}"
        if auxiliary.group() in {"was", "is", "has", "were", "are"}:
            yield "denial added", f"{quote[: auxiliary.end()]}n\u2019t{quote[auxiliary.end() :]}"


def rows(found: list[Value], *, wrong: bool, most: int) -> Iterator[dict[str, Any]]:
    """The rows of a file, in the order of the set; a text once a fact, a rule for at most `most` values."""
    used: Counter[str] = Counter()
    seen: Counter[tuple[str, str]] = Counter()
    for value in found:
        spellings = mutated(value, found) if wrong else respelled(value)
        known = {normalise(accepted) for fact in value.facts for accepted in (*fact.accepted, fact.value)}
        if wrong:
            spellings = ((rule, spelling) for rule, spelling in spellings if normalise(spelling) not in known)
        made = [*statements(value, spellings, wrong=wrong), *denials(value, wrong=wrong)]
        rules = {rule for rule, _ in made}
        for text, rule in _first_rules(made):
            if text in REMOVED or used[rule] >= most:
                continue
            seen[value.question.id, rule] += 1
            yield {
                "id": f"{value.question.id}/{rule}/{seen[value.question.id, rule]}",
                "rule": rule,
                "kind": value.fact.kind,
                "value": value.fact.value,
                "text": text,
                "fact_id": f"{value.question.id}/{value.fact.value}",
            }
        used.update(rules)


def _first_rules(made: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Each text once, with the first rule that made it."""
    first: dict[str, str] = {}
    for rule, text in made:
        first.setdefault(text, rule)
    yield from first.items()


def main() -> None:
    """Write both files and say how many rows each rule made."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("gold", type=Path, help="the question set")
    parser.add_argument("out", type=Path, help="the folder for both files")
    parser.add_argument("--most", type=int, default=24, help="values that a rule is used for (default 24)")
    arguments = parser.parse_args()
    found = values(load(arguments.gold))
    for name, wrong in (("equivalents", False), ("mutants", True)):
        made = list(rows(found, wrong=wrong, most=arguments.most))
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in made)
        (arguments.out / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")
        print(f"{len(made)} {name} of {len(found)} values, by {len({row['rule'] for row in made})} rules")


if __name__ == "__main__":
    main()
