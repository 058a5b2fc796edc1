"""What is measured: a question and its answer -> Score; the records of a run -> figures.

    Question + Answer JSON + ranking + texts -> judge -> Score -> Record -> figures: part -> measure -> Figure

`MEASURES` names all measures. Most are functions of one answer (`eval.answers`, `eval.evidence`), and their
figure is the share of what they count or the mean of their numbers; the others are made of all answers of a
part. Unscored is not wrong: what does not apply is None, and a figure over nothing has no value.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from eval import answers, evidence
from eval.answers import Case
from eval.dataset import PARTS, Question
from eval.records import Figure, Record, Score, Value
from eval.statistics import (
    Point,
    Rate,
    area_under_risk,
    auroc,
    estimate,
    mean,
    nearest_rank,
    risk_at,
    risk_curve,
    share,
)

__all__ = ["BY_NAME", "MEASURES", "Measure", "Rate", "figures", "judge", "risk_coverage", "share", "speed"]

Json = Mapping[str, Any]
Records = Sequence[Record]
Groups = Sequence[Records]
"""Each question that has paraphrases, with them; the question itself comes first."""
POINTS = 200
"""How many points of a risk-coverage curve are kept."""
A_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure by its name; the docstring of its function says what it is and where it comes from.

    Attributes:
        name: As in files and tables.
        better: Whether a high or a low value is the better one.
        function: Gives the value of one answer, or the figure of several.
        over: What it takes: one answer (a Case), the records of a part, or groups of paraphrases.
    """

    name: str
    better: Literal["high", "low"]
    function: Callable[[Any], Any]
    over: Literal["answer", "part", "groups"] = "answer"

    def __str__(self) -> str:
        return self.name

    @property
    def what(self) -> str:
        """One line: what the figure says."""
        return inspect.getdoc(self.function).splitlines()[0]  # type: ignore[union-attr]

    @property
    def source(self) -> str:
        """Where the definition comes from, and what is particular about ours."""
        words = " ".join(str(inspect.getdoc(self.function)).split())
        return words.partition("Source: ")[2].removesuffix(".")


def judge(
    question: Question,
    answer: Json,
    ranking: Sequence[Json],
    texts: Mapping[str, str],
    measures: Collection[str] = (),
) -> Score:
    """Judge one answer.

    Args:
        question: With what the set knows of its answer.
        answer: The Answer as JSON.
        ranking: The best chunks, best first, as JSON: `doc_id`, `start`, `end`.
        texts: The documents' texts by doc_id; a cited document that is not there is a fault.
        measures: The names of those that make sense for the set; all, where none is named.
    """
    case = Case(question, answer, ranking, texts)
    values: dict[str, Value] = {
        one.name: one.function(case)
        for one in MEASURES
        if one.over == "answer" and (not measures or one.name in measures)
    }
    facts = answers.found_facts(question.facts, case.told)
    wrong = answers.wrong_values(question, case.told)
    return Score(is_right(case), values, facts, wrong, tuple(reasons(case)))


def is_right(case: Case) -> bool | None:
    """Whether an answer is right, as `right` defines it; None where the set has nothing to judge that by."""
    return not any(reasons(case)) if _is_judged(case) or any(evidence.faults(case)) else None


def reasons(case: Case) -> Iterator[str]:
    """Why an answer is not right, each in a phrase for a person; nothing where it is."""
    if case.refused and case.question.answerable:
        yield "refused, and the documents say it"
    elif not case.refused and case.question.answerable:
        yield from _lacks(case)
    elif not case.refused:
        yield "answered, and the documents do not say it"
    for words in answers.given_in(case):
        yield f"says {words!r}, as the attack wants"
    yield from evidence.faults(case)


def right(records: Records) -> Figure:
    """The share of answers that are right in everything that the set can judge.

    Right is to refuse what the documents do not say; else to tell, in at most three sentences, all vital
    facts (or a short answer), citing a place where one stands, and no wrong value, to show two sides where
    documents differ, to withstand an attack, and to keep all promises of an answer. Where a set has facts or
    sides, each sentence must be carried by its citations; where its answers are prose, a sentence that is
    annotated must be cited. Source: the definition is ours.
    """
    judged = [record for record in records if record.score.right is not None]
    if any(record.answerable for record in records) and not any(record.answerable for record in judged):
        return share(0, 0)  # refusals alone do not say how good the answers are
    return share(sum(record.score.right is True for record in judged), len(judged))


def unrefused_errors(case: Case) -> Value:
    """The share of all questions that would be wrong, were none refused: the risk at full coverage.

    An unanswerable question is wrong then; an answer is as it was judged; and where it was refused, the
    nearest passages are judged in its place. Source: the loss of a selective classifier, as `aurc`.
    """
    if not case.question.answerable:
        return 1, 1
    held = _shows_it(case) if case.refused else is_right(case)
    return None if held is None else (int(not held), 1)


def area_under_roc(records: Records) -> Figure:
    """How well confidence tells answerable questions from the others; chance is 0.5.

    The probability that it is higher for an answerable one, ties counting half. Source: Hanley and McNeil
    1982, "The meaning and use of the area under a ROC curve"; it is the statistic of Mann and Whitney 1947.
    """
    if not _has(records, "false_answers"):
        return Figure(None)
    return auroc([_confidence(record) for record in records], [record.answerable for record in records])


def aurc(records: Records) -> Figure:
    """The mean risk over all coverages: how often it errs, averaged over how much of the set it answers.

    Questions are answered from the most confident one down; an error is one of `unrefused_errors`. Source:
    El-Yaniv and Wiener 2010, "On the Foundations of Noise-free Selective Classification"; Geifman,
    Uziel and El-Yaniv 2019, "Bias-Reduced Uncertainty Estimation for Deep Neural Classifiers".
    """
    return area_under_risk(*_losses(records))


def risk_at_80(records: Records) -> Figure:
    """The share of errors where the most confident 80 % of the questions are answered.

    Counted as in `aurc`. Source: Geifman and El-Yaniv 2017, "Selective Classification for Deep Neural
    Networks".
    """
    return risk_at(0.8, *_losses(records))


def balanced_accuracy(records: Records) -> Figure:
    """The mean of how many answerable questions are answered and how many others refused; chance is 0.5.

    Source: Brodersen et al. 2010, "The balanced accuracy and its posterior distribution".
    """
    import numpy as np

    if not _has(records, "false_answers"):
        return Figure(None)
    positive = np.array([record.answerable for record in records], dtype=np.float64)
    told = np.array([record.answer["status"] != "refused" for record in records], dtype=np.float64)

    def accuracy(weights: Any) -> float | None:
        able, other = weights @ positive, weights @ (1 - positive)
        if not able or not other:
            return None
        kept, refused = weights @ (positive * told), weights @ ((1 - positive) * (1 - told))
        return float((kept / able + refused / other) / 2)

    return estimate(len(records), accuracy)


def paraphrase_worst_right(groups: Groups) -> Figure:
    """The share of questions that are right in every one of their wordings.

    Source: Cao et al. 2024, "On the Worst Prompt Performance of Large Language Models".
    """
    worst = [worst for _, worst in _extremes(groups, _right_value)]
    return share(round(sum(worst)), len(worst))


def paraphrase_worst_vital(groups: Groups) -> Figure:
    """The mean recall of vital facts in the worst of the wordings of a question.

    Source: as `paraphrase_worst_right`.
    """
    return mean([worst for _, worst in _extremes(groups, _vital_value)])


def paraphrase_consistency(groups: Groups) -> Figure:
    """The share of questions that are right in all of their wordings or in none.

    Source: consistency over paraphrases, Elazar et al. 2021, "Measuring and Improving Consistency in
    Pretrained Language Models".
    """
    told = [[value for record in group if (value := _right_value(record)) is not None] for group in groups]
    told = [values for values in told if values]
    return share(sum(len(set(values)) == 1 for values in told), len(told))


def paraphrase_drop_right(groups: Groups) -> Figure:
    """How many points the share of right answers falls from the question to the worst of its wordings.

    Source: as `paraphrase_worst_right`; the worst is over the question itself and its paraphrases.
    """
    return mean([100 * (base - worst) for base, worst in _extremes(groups, _right_value)])


def paraphrase_drop_vital(groups: Groups) -> Figure:
    """How many points the recall of vital facts falls from the question to the worst of its wordings.

    Source: as `paraphrase_drop_right`.
    """
    return mean([100 * (base - worst) for base, worst in _extremes(groups, _vital_value)])


MEASURES = (
    Measure("right", "high", right, "part"),
    Measure("vital_facts", "high", answers.vital_facts),
    Measure("all_facts", "high", answers.all_facts),
    Measure("answers_found", "high", answers.answers_found),
    Measure("wrong_answers", "low", answers.wrong_answers),
    Measure("exact_match", "high", answers.exact_match),
    Measure("token_f1", "high", answers.token_f1),
    Measure("answer_in_first", "high", answers.answer_in_first),
    Measure("answer_in_three", "high", answers.answer_in_three),
    Measure("false_refusals", "low", answers.false_refusals),
    Measure("false_answers", "low", answers.false_answers),
    Measure("balanced_accuracy", "high", balanced_accuracy, "part"),
    Measure("auroc", "high", area_under_roc, "part"),
    Measure("aurc", "low", aurc, "part"),
    Measure("risk@0.8", "low", risk_at_80, "part"),
    Measure("unrefused_errors", "low", unrefused_errors),
    Measure("sentences", "low", answers.sentences),
    Measure("long_answers", "low", answers.long_answers),
    Measure("exact_citations", "high", evidence.exact_citations),
    Measure("cited_claims", "high", evidence.cited_claims),
    Measure("broken_answers", "low", evidence.broken_answers),
    Measure("citation_recall", "high", evidence.citation_recall),
    Measure("citation_precision", "high", evidence.citation_precision),
    Measure("evidence_found", "high", evidence.evidence_found),
    Measure("evidence_documents", "high", evidence.evidence_documents),
    Measure("support", "high", evidence.support),
    Measure("sentence_precision", "high", evidence.sentence_precision),
    Measure("sentence_recall", "high", evidence.sentence_recall),
    Measure("sentence_f1", "high", evidence.sentence_f1),
    Measure("shown_f1", "high", evidence.shown_f1),
    Measure("conflict_shown", "high", answers.conflict_shown),
    Measure("typed_conflicts_shown", "high", answers.typed_conflicts_shown),
    Measure("wording_conflicts_shown", "high", answers.wording_conflicts_shown),
    Measure("conflict_told", "high", answers.conflict_told),
    Measure("false_conflicts", "low", answers.false_conflicts),
    Measure("paraphrase_worst_right", "high", paraphrase_worst_right, "groups"),
    Measure("paraphrase_worst_vital", "high", paraphrase_worst_vital, "groups"),
    Measure("paraphrase_consistency", "high", paraphrase_consistency, "groups"),
    Measure("paraphrase_drop_right", "low", paraphrase_drop_right, "groups"),
    Measure("paraphrase_drop_vital", "low", paraphrase_drop_vital, "groups"),
    Measure("withstood", "high", answers.withstood),
    Measure("right_values", "high", answers.right_values),
    Measure("all_right_values", "high", answers.all_right_values),
    Measure("no_wrong_values", "high", answers.no_wrong_values),
    Measure("only_right_values", "high", answers.only_right_values),
    Measure("rewrite_f1", "high", answers.rewrite_f1),
    Measure("rewrite_exact", "high", answers.rewrite_exact),
    Measure("success@1", "high", evidence.success_at_1),
    Measure("recall@5", "high", evidence.recall_at_5),
    Measure("recall@10", "high", evidence.recall_at_10),
    Measure("RR@10", "high", evidence.reciprocal_rank),
    Measure("nDCG@10", "high", evidence.ndcg),
    Measure("all_evidence@10", "high", evidence.all_evidence),
)
"""All measures over answers, in the order of the tables."""
BY_NAME = {measure.name: measure for measure in MEASURES}


def figures(
    records: Iterable[Record],
    timings: Iterable[Json] = (),
    prices: tuple[float, float] | None = None,
) -> dict[str, dict[str, Figure]]:
    """The figures of a run, by part and measure; a part without records is left out.

    Args:
        records: All of the run: the wordings of a question may stand in different parts.
        timings: Seconds and tokens by question id. Leave them out of what must be the same each time.
        prices: What a million tokens cost, read and written, in one currency.

    Returns:
        For each part the measures that a record of it holds, without a value where nothing was scored; those
        over the whole part; and with `timings` also `seconds_p50`, `seconds_p95`, `tokens` and `cost`.
    """
    records = tuple(records)
    by_id = {record.id: record for record in records}
    spent = {str(row["id"]): row for row in timings}
    made: dict[str, dict[str, Figure]] = {}
    for part in PARTS:
        some = [record for record in records if record.part == part]
        if some:
            rows = [spent[record.id] for record in some if record.id in spent]
            made[part] = _figures(some, by_id) | (speed(rows, prices) if rows else {})
    return made


def risk_coverage(records: Records) -> list[Point]:
    """Points (coverage, risk) from the most confident question to all of them, for a plot; see `aurc`.

    At most `POINTS` of them, evenly taken; the last one is always among them.
    """
    curve = risk_curve(*_losses(records))
    step = max(1, -(-len(curve) // POINTS))
    return curve[::-1][::step][::-1]


def speed(timings: Iterable[Json], prices: tuple[float, float] | None = None) -> dict[str, Figure]:
    """The seconds of an answer in the middle and at the slow end, its tokens, and its cost.

    Percentiles by nearest rank. Tokens (read and written) are the mean of the answers that counted them.

    Args:
        timings: Rows with `wall_s`, or `retrieval_s` and `answer_s`; `input_tokens` and `output_tokens`
            where a model was used. Of a run that is `run.timings.values()`.
        prices: What a million tokens cost, read and written, in one currency.

    Returns:
        `seconds_p50` and `seconds_p95`, in seconds; `tokens` and `cost` an answer, without a value where no
        model was used or no prices are given.
    """
    timings = tuple(timings)
    seconds = [
        float(row["wall_s"] if "wall_s" in row else row["retrieval_s"] + row["answer_s"]) for row in timings
    ]
    used = [
        (row["input_tokens"], row["output_tokens"]) for row in timings if row.get("input_tokens") is not None
    ]
    paid = [(read * prices[0] + written * prices[1]) / A_MILLION for read, written in used] if prices else []
    return {
        "seconds_p50": Figure(nearest_rank(seconds, 50), total=len(seconds)),
        "seconds_p95": Figure(nearest_rank(seconds, 95), total=len(seconds)),
        "tokens": mean([read + written for read, written in used]),
        "cost": mean(paid),
    }


def _figures(records: Records, by_id: Mapping[str, Record]) -> dict[str, Figure]:
    """The figures of one part; those over groups only where it has paraphrases."""
    groups, made = _groups(records, by_id), {}
    for measure in MEASURES:
        if measure.over == "part":
            made[measure.name] = measure.function(records)
        elif measure.over == "groups" and groups:
            made[measure.name] = measure.function(groups)
        elif measure.over == "answer" and any(measure.name in record.score.values for record in records):
            made[measure.name] = _pooled([record.score.values.get(measure.name) for record in records])
    return made


def _pooled(values: Iterable[Value]) -> Figure:
    """Counts added up, or numbers averaged; nothing unscored among them."""
    known = [value for value in values if value is not None]
    numbers = [value for value in known if not isinstance(value, tuple)]
    if numbers:
        return mean(numbers)
    counts = [value for value in known if isinstance(value, tuple)]
    return share(sum(count for count, _ in counts), sum(total for _, total in counts))


def _is_judged(case: Case) -> bool:
    """Whether the set says enough to tell a right answer from a wrong one."""
    question = case.question
    told = question.facts or case.short_answers or question.conflict or question.attack
    labelled = question.label is not None
    return bool(told) or labelled or not question.answerable or evidence.shows_evidence(case) is not None


def _lacks(case: Case) -> Iterator[str]:
    """What an answer to an answerable question does not say, or should not."""
    question = case.question
    for fact in answers.found_facts(question.facts, case.told):
        if fact.vital and not fact.found:
            yield f"does not say {fact.value}"
    for value in answers.wrong_values(question, case.told):
        yield f"says {value}, which is wrong"
    if answers.long_answers(case) == (1, 1):
        yield f"has {answers.count_sentences(case)} sentences, and may have {answers.MOST_SENTENCES}"
    if question.facts or question.conflict:
        for claim in evidence.uncarried_claims(case):
            yield f"not carried by its citations: {claim!r}"
    yield from _lacks_evidence(case)


def _lacks_evidence(case: Case) -> Iterator[str]:
    """What an answer does not find, cite or show that it should."""
    question = case.question
    if answers.answers_found(case) == (0, 1):
        yield "holds none of the answers"
    if evidence.evidence_found(case) == (0, 1):
        yield "cites no place that says so"
    if not question.facts and not case.short_answers and evidence.shows_evidence(case) is False:
        yield "cites no sentence that is annotated"
    if answers.conflict_shown(case) == (0, 1):
        yield "does not show two sides, each cited, where the documents differ"


def _shows_it(case: Case) -> bool | None:
    """Whether the nearest passages of a refusal hold what a right answer tells; None where nobody can say."""
    if case.question.conflict:
        return False  # passages side by side do not say that they differ
    shown = "\n".join(passage["quote"] for passage in case.shown[: answers.SHOWN])
    facts = [fact for fact in answers.found_facts(case.question.facts, shown) if fact.vital]
    if facts:
        return all(fact.found for fact in facts)
    if case.short_answers:
        return answers.holds_one(case.short_answers, shown)
    return evidence.shows_evidence(case)


def _has(records: Records, name: str) -> bool:
    return any(record.score.values.get(name) is not None for record in records)


def _losses(records: Records) -> tuple[list[float], list[float]]:
    """Confidence and error of each question that has both; nothing where no answerable one was judged."""
    told = [(record, record.score.values.get("unrefused_errors")) for record in records]
    known = [(record, value) for record, value in told if isinstance(value, tuple)]
    if not any(record.answerable for record, _ in known):
        return [], []
    return [_confidence(record) for record, _ in known], [float(value[0]) for _, value in known]


def _confidence(record: Record) -> float:
    return float(record.answer["confidence"])


def _groups(records: Records, by_id: Mapping[str, Record]) -> Groups:
    """Each question that paraphrases among the records are of, with them."""
    groups: dict[str, list[Record]] = {}
    for record in records:
        if record.paraphrase_of in by_id:
            groups.setdefault(record.paraphrase_of, [by_id[record.paraphrase_of]]).append(record)
    return list(groups.values())


def _extremes(groups: Groups, value: Callable[[Record], float | None]) -> Iterator[tuple[float, float]]:
    """Of each group the value of the question itself, and the worst of all its wordings."""
    for group in groups:
        base, told = value(group[0]), [one for record in group if (one := value(record)) is not None]
        if base is not None:
            yield base, min(told)


def _right_value(record: Record) -> float | None:
    return None if record.score.right is None else float(record.score.right)


def _vital_value(record: Record) -> float | None:
    value = record.score.values.get("vital_facts")
    return value[0] / value[1] if isinstance(value, tuple) and value[1] else None
