"""A name -> questions, with the documents to ask and what there is to compare with.

    name + folder of the sets -> QuestionSet(questions, corpus, texts, reading lists, measures, references)

Our own sets ship. Third-party sets do not: they lie below a folder that the user names, each with its
`queries.jsonl` in the common schema. Any other file in that schema can be asked of any corpus.
"""

from __future__ import annotations

import atexit
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from eval.dataset import DatasetError, Question, corpus_texts, load
from eval.records import Reference

if TYPE_CHECKING:
    from eval.stages import Rewriter, SupportCheck

GOLD = Path(__file__).parent / "gold"
SEEDS = Path(__file__).parents[1] / "seeds"
OWN = ("gold", "attacks")
"""The sets that ship."""


class NoSetError(DatasetError):
    """A question set, or what it is asked of, is not there."""


CITING = ("exact_citations", "cited_claims", "broken_answers", "citation_recall", "citation_precision")
LENGTH = ("sentences", "long_answers")
STOPPING = ("false_refusals", "false_answers", "unrefused_errors")
RETRIEVAL = ("success@1", "recall@5", "recall@10", "RR@10", "nDCG@10", "all_evidence@10")
SHORT_ANSWERS = ("answers_found", "exact_match", "token_f1", "answer_in_first", "answer_in_three")
SENTENCES = ("sentence_precision", "sentence_recall", "sentence_f1", "shown_f1")
FACTS = ("vital_facts", "all_facts", "wrong_answers", "evidence_found", "support")
CONFLICTS = (
    "conflict_shown",
    "typed_conflicts_shown",
    "wording_conflicts_shown",
    "conflict_told",
    "false_conflicts",
)
VALUES = ("right_values", "all_right_values", "no_wrong_values", "only_right_values")
FOUND = (*CITING, *STOPPING, "evidence_documents", *RETRIEVAL)
GOLD_MEASURES = (
    *FACTS,
    *LENGTH,
    "answer_in_first",
    "answer_in_three",
    *SENTENCES,
    *CONFLICTS,
    "withstood",
    *FOUND,
)

HERE = "measured on this set"
PUBLISHED = "published, recomputed on this set"


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """Questions, and what they are asked of.

    Attributes:
        name: Of the set; that of its file where it is none of ours.
        path: The file of the questions.
        questions: In the order of the file.
        corpus: The folder or `.jsonl` file to index; the questions' own file where a set needs no index.
        texts: The texts of the corpus by doc_id.
        measures: The names of the measures that make sense; all where there is none.
        references: Figures to read ours beside.
        note: What to know about the set when reading its figures.
        closed: Whether each question is to be answered from a reading list of its own.
        engine: A stage of the engine that the set is for, asked in place of the whole; None for the whole.
    """

    name: str
    path: Path
    questions: tuple[Question, ...]
    corpus: Path
    texts: Mapping[str, str]
    measures: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()
    note: str = ""
    closed: bool = False
    engine: SupportCheck | Rewriter | None = None

    def within(self, question: Question) -> frozenset[str] | None:
        """The ids of the documents that a question is to be answered from; None for the whole corpus."""
        if not self.closed:
            return None
        listed = question.candidates or question.evidence
        return frozenset(one.doc_id for one in listed if one.doc_id in self.texts)


@dataclass(frozen=True, slots=True)
class _Recipe:
    """How a third-party set is opened: its corpus below the folder of the sets, and what is done to it."""

    corpus: str
    measures: tuple[str, ...]
    references: tuple[Reference, ...] = ()
    note: str = ""
    opened: Callable[[QuestionSet, Path | None], QuestionSet] = lambda found, _: found


def open_set(
    name: str | Path, data: Path | None = None, corpus: Path | None = None, scratch: Path | None = None
) -> QuestionSet:
    """Open a question set.

    Args:
        name: One of `OWN` or `NAMES`, or the path of a file in the common schema.
        data: The folder of the third-party sets.
        corpus: The documents, in place of those that belong to the set; needed for a path.
        scratch: The folder for a corpus that has to be written, since an index that is kept knows its
            documents by their path; one that is deleted in the end, where it is None.

    Raises:
        NoSetError: There is no such set, in one line, with what to do.
        DatasetError: It is broken; likewise.
    """
    check_there(name, data, corpus)
    if str(name) in OWN:
        return _own(str(name), corpus)
    if str(name) in RECIPES and data is not None:
        return _third_party(str(name), data, corpus, scratch)
    return _read(Path(name).stem, Path(name), corpus or Path())  # a file has a corpus, as was checked


def check_there(name: str | Path, data: Path | None = None, corpus: Path | None = None) -> None:
    """Refuse a set that is not there, without reading it.

    Raises:
        NoSetError: As `open_set`.
    """
    if str(name) in OWN:
        return
    if str(name) in RECIPES:
        if data is None:
            raise NoSetError(
                f"{name}: this set does not ship. Say where the third-party sets are with --data."
            )
        if not (path := data / str(name) / "queries.jsonl").is_file():
            raise NoSetError(
                f"{path}: there is no such file. Name with --data the folder that holds {name}/."
            )
        return
    if not Path(name).is_file():
        known = ", ".join((*OWN, *NAMES))
        raise NoSetError(f"{name}: there is no such set and no such file. Name a file, or one of {known}.")
    if corpus is None:
        raise NoSetError(f"{name}: nothing says what it asks about. Name the documents with --corpus.")


def _own(name: str, corpus: Path | None) -> QuestionSet:
    file, documents = ("durov", SEEDS) if name == "gold" else ("attacks", GOLD / "attacks")
    return _read(name, GOLD / f"{file}.jsonl", corpus or documents, GOLD_MEASURES)


def _third_party(name: str, data: Path, corpus: Path | None, scratch: Path | None) -> QuestionSet:
    recipe = RECIPES[name]
    path = data / name / "queries.jsonl"
    documents = corpus or (data / recipe.corpus if recipe.corpus else None)
    if documents is None:
        found = QuestionSet(name, path, _loaded(path), path, {}, recipe.measures)
    else:
        found = _read(name, path, documents, recipe.measures)
    return recipe.opened(replace(found, references=recipe.references, note=recipe.note), scratch)


def _read(name: str, path: Path, corpus: Path, measures: tuple[str, ...] = ()) -> QuestionSet:
    questions, texts = _loaded(path), _texts(corpus)
    known = set(texts)
    if corpus.suffix == ".jsonl":  # of a folder, other formats may hold what plain text does not
        for question in questions:
            for piece in question.evidence:
                if piece.doc_id not in known:
                    raise DatasetError(
                        f"{path}:{question.line}: the evidence {piece.doc_id!r} is not in {corpus}. "
                        "Name with --corpus the documents that belong to it."
                    )
    return QuestionSet(name, path, questions, corpus, texts, measures)


def _loaded(path: Path) -> tuple[Question, ...]:
    try:
        return load(path)
    except DatasetError as error:
        raise DatasetError(f"{error} Mend that line, or leave it out.") from None
    except OSError as error:
        raise NoSetError(f"{path}: {error.strerror or error}. Name a file that can be read.") from None


def _texts(corpus: Path) -> dict[str, str]:
    """The texts of a corpus; of a `.jsonl` file each line must be a record."""
    if not corpus.exists():
        raise NoSetError(f"{corpus}: there are no such documents. Name a folder or a .jsonl file of them.")
    if corpus.suffix == ".jsonl":
        _check_records(corpus)
    try:
        texts = corpus_texts(corpus)
    except OSError as error:
        raise NoSetError(f"{corpus}: {error.strerror or error}. Name documents that can be read.") from None
    return texts


def _check_records(path: Path) -> None:
    fix = "A corpus has a line a document, with `doc_id` and `text`."
    for number, line in enumerate(path.read_bytes().split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line.decode("utf-8-sig"))
        except ValueError as error:
            raise DatasetError(f"{path}:{number}: not JSON: {error}. {fix}") from None
        if not (isinstance(record, dict) and isinstance(record.get("doc_id"), str)):
            raise DatasetError(f"{path}:{number}: it names no document. {fix}")
        if not isinstance(record.get("text"), str):
            raise DatasetError(f"{path}:{number}: the document {record['doc_id']!r} has no text. {fix}")


def _of_candidates(found: QuestionSet, scratch: Path | None) -> QuestionSet:
    """A set whose questions bring their documents: these, written as a corpus, and reading lists."""
    texts: dict[str, str] = {}
    for question in found.questions:
        if not question.candidates:
            raise DatasetError(
                f"{found.path}:{question.line}: {question.id!r} brings no documents. Add its `candidates`."
            )
        texts.update((one.doc_id, _readable(one.text)) for one in question.candidates)
    written = {doc_id: text for doc_id, text in texts.items() if text.strip()}
    corpus = _written(found.name, written, scratch or _temporary())
    return replace(found, corpus=corpus, texts=corpus_texts(corpus), closed=True)


def _readable(text: str) -> str:
    """A text without what no document may hold: NUL and half characters, as badly saved pages do."""
    return re.sub("[\x00\ud800-\udfff]", " ", text)


def _temporary() -> Path:
    """A folder that is deleted when the program ends."""
    folder = Path(tempfile.mkdtemp(prefix="citewell-set-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _written(name: str, texts: Mapping[str, str], folder: Path) -> Path:
    """A corpus file of texts."""
    folder.mkdir(parents=True, exist_ok=True)
    corpus = folder / f"{name}-corpus.jsonl"
    rows = ({"doc_id": doc_id, "title": "", "text": text} for doc_id, text in texts.items())
    corpus.write_text(
        "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8", newline="\n"
    )
    return corpus


def _of_claims(found: QuestionSet, _: Path | None) -> QuestionSet:
    """A set of claims: each is asked of its evidence alone, and is answerable where that carries it."""
    from eval.stages import SupportCheck

    questions = []
    for question in found.questions:
        if not question.claim or question.label is None:
            raise DatasetError(
                f"{found.path}:{question.line}: {question.id!r} has no claim with a label. "
                "Add `claim` and `label`."
            )
        questions.append(replace(question, question=question.claim, answerable=question.label))
    texts = {piece.doc_id: piece.text for question in questions for piece in question.evidence}
    return replace(found, questions=tuple(questions), texts=texts, closed=True, engine=SupportCheck(texts))


def _of_rewrites(found: QuestionSet, _: Path | None) -> QuestionSet:
    """A set of follow-ups with the question that each of them means."""
    from eval.stages import Rewriter, as_asked

    for question in found.questions:
        if not question.rewrite:
            raise DatasetError(
                f"{found.path}:{question.line}: {question.id!r} has no rewriting. Add its `rewrite`."
            )
    return replace(found, engine=Rewriter(as_asked))


def _without_verdicts(found: QuestionSet, _: Path | None) -> QuestionSet:
    """Without the answers that no document holds: 'yes' and 'no' are conclusions, and are not looked for."""
    kept = (
        replace(question, answers=()) if question.type in VERDICTS else question
        for question in found.questions
    )
    return replace(found, questions=tuple(kept))


VERDICTS = ("comparison", "temporal")
"""The kinds of question of MultiHop-RAG whose answer is a conclusion from several documents."""
RECIPES: Mapping[str, _Recipe] = {
    "squad2": _Recipe(
        "squad2/corpus.jsonl",
        (*SHORT_ANSWERS, *FOUND),
        (
            Reference("answer_in_first", 0.82, "most words in common, given the right passage", HERE),
            Reference("answer_in_first", 0.72, "untrained, through retrieval", HERE),
            Reference("answer_in_three", 0.885, "untrained, through retrieval", HERE),
            Reference("auroc", 0.64, "untrained", HERE),
            Reference("auroc", 0.55, "word overlap (0.52 to 0.55)", HERE),
            Reference("token_f1", 0.895, "people, on spans", PUBLISHED),
            Reference("token_f1", 0.818, "BERT, on spans, given the passage", PUBLISHED),
            Reference("token_f1", 0.679, "BiDAF + SA + ELMo, on spans, given the passage", PUBLISHED),
            Reference("success@1", 0.842, "convex fusion of whole passages", HERE),
        ),
        "The unanswerable questions look answerable. A sentence has more words than the span asked for.",
    ),
    "nq": _Recipe(
        "nq/corpus.jsonl",
        (*SHORT_ANSWERS, *FOUND),
        (
            Reference("answer_in_first", 0.59, "most words in common, given the right passage", HERE),
            Reference("answer_in_first", 0.55, "untrained, through retrieval", HERE),
            Reference("answer_in_three", 0.84, "untrained, through retrieval", HERE),
            Reference("success@1", 0.911, "convex fusion of whole passages", HERE),
        ),
        "Every question is answerable.",
    ),
    "clapnq": _Recipe(
        "clapnq/corpus.jsonl",
        ("token_f1", *SENTENCES, *FOUND),
        (
            Reference("auroc", 0.83, "word overlap (0.79 to 0.83)", HERE),
            Reference("auroc", 0.72, "MiniLM cosine (squad2, nq and clapnq mixed)", HERE),
        ),
        "Answers are prose; the annotated evidence is the sentences to cite.",
    ),
    "ramdocs": _Recipe(
        "",
        ("answers_found", "wrong_answers", "false_refusals", *VALUES, *CITING, "evidence_documents"),
        (
            Reference("all_right_values", 0.87, "printing every document", HERE),
            Reference("no_wrong_values", 0.34, "printing every document", HERE),
            Reference("only_right_values", 0.326, "Llama-3.3-70B at best", "arXiv 2504.13079"),
        ),
        "Each question is answered from its own documents; some are wrong, and some beside the point.",
        _of_candidates,
    ),
    "mtragun": _Recipe(
        "corpora/mtragun/corpus.jsonl",
        ("token_f1", "false_refusals", "false_answers", *CITING, "evidence_documents", *RETRIEVAL),
        (Reference("recall@5", 0.80, "BM25 of the last turn", HERE),),
        "Conversations; answers are prose. Underspecified questions count as unanswerable, partial ones as "
        "answerable.",
    ),
    "multihoprag": _Recipe(
        "corpora/multihoprag/corpus_facts.jsonl",
        (*SHORT_ANSWERS, *FOUND),
        (
            Reference("auroc", 0.95, "word overlap", HERE),
            Reference("recall@10", 0.78, "first trial", HERE),
            Reference("all_evidence@10", 0.54, "first trial", HERE),
            Reference("nDCG@10", 0.747, "convex fusion of whole passages", HERE),
        ),
        "Comparisons and orders in time have verdicts for answers, which no sentence holds: they are "
        "unscored, and only what was found is measured. The corpus is the evidence sentences alone.",
        _without_verdicts,
    ),
    "scifact": _Recipe(
        "corpora/scifact/corpus.jsonl",
        RETRIEVAL,
        (
            Reference("nDCG@10", 0.679, "BM25", "Pyserini"),
            Reference("nDCG@10", 0.741, "bge-base", "Pyserini"),
            Reference("nDCG@10", 0.747, "bge-base and BM25 fused (.742 to .747)", "Pyserini"),
        ),
        "Retrieval only. A ranking here is the ten best chunks, which are fewer than ten documents; the "
        "bench ranks deeper.",
    ),
    "mtrag_rewrite": _Recipe(
        "",
        ("rewrite_f1", "rewrite_exact"),
        (),
        "No documents: only the question that is searched for is compared.",
        _of_rewrites,
    ),
    "attributionbench": _Recipe(
        "",
        ("false_refusals", "false_answers"),
        (Reference("auroc", 0.77, "token overlap", HERE),),
        "No retrieval: to answer is to say, by the engine's own check, that given words carry a claim; "
        "confidence is the graded check of support, whose weights are fitted on claims of this set.",
        _of_claims,
    ),
}
"""The third-party sets."""
NAMES = tuple(RECIPES)
