"""A run as JUnit XML, as build servers read it: a suite a part, a case a question, and the gate as a case.

The format is that of Ant's JUnit task, as Jenkins and GitLab read it; it holds no times, so that it is the
same bytes each time.
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree

from eval.records import Figure, Record, Run
from eval.report import (
    count_of,
    expected,
    interval_of,
    is_limited,
    of_part,
    parts,
    told,
    value_of,
    verdict,
    visible,
)

Element = ElementTree.Element


def render(run: Run) -> str:
    """The report as an XML document."""
    suites = [_suite(run, part) for part in parts(run)] + [_gate(run)]
    root = Element("testsuites", {"name": visible(run.set)} | _totals(suites))
    root.extend(suites)
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _suite(run: Run, part: str) -> Element:
    name = visible(f"{run.set}.{part}")
    cases = [_case(name, record) for record in of_part(run, part)]
    suite = Element("testsuite", {"name": name} | _counts(cases))
    figures = run.figures.get(part, {})
    if figures:
        properties = ElementTree.SubElement(suite, "properties")
        properties.extend(_property(measure, figure) for measure, figure in figures.items())
    suite.extend(cases)
    return suite


def _property(measure: str, figure: Figure) -> Element:
    interval = interval_of(figure)
    value = f"{value_of(figure)} ({count_of(figure)}{f', 95 % {interval}' if interval else ''})"
    return Element("property", {"name": visible(measure), "value": value})


def _case(suite: str, record: Record) -> Element:
    case = Element("testcase", {"classname": suite, "name": visible(record.id)})
    if record.score.right is None:
        ElementTree.SubElement(case, "skipped", {"message": "unscored"})
    elif not record.score.right:
        case.append(_failure("; ".join(record.score.reasons) or "not right", _told(record)))
    return case


def _told(record: Record) -> str:
    lines = [
        f"question: {record.question}",
        f"expected: {expected(record)}",
        f"answer: {told(record.answer)}",
        *(
            f"[{citation['marker']}] {citation['doc_id']} {citation['start']} to {citation['end']}: "
            f"{citation['quote']}"
            for citation in record.answer["citations"]
        ),
    ]
    return "\n".join(lines)


def _gate(run: Run) -> Element:
    name = visible(f"{run.set}.gate")
    case = Element("testcase", {"classname": name, "name": "gate"})
    if run.breaches:
        count = len(run.breaches)
        message = f"{count} below the gate" if count > 1 else run.breaches[0]
        case.append(_failure(message, "\n".join(run.breaches)))
    elif is_limited(run):
        ElementTree.SubElement(case, "skipped", {"message": f"gate {verdict(run)}"})
    suite = Element("testsuite", {"name": name} | _counts([case]))
    suite.append(case)
    return suite


def _failure(message: str, text: str) -> Element:
    failure = Element("failure", {"message": visible(message), "type": "AssertionError"})
    failure.text = visible(text)
    return failure


def _counts(cases: Iterable[Element]) -> dict[str, str]:
    cases = list(cases)
    kinds = {"failures": "failure", "skipped": "skipped"}
    counts = {name: sum(case.find(tag) is not None for case in cases) for name, tag in kinds.items()}
    return {"tests": str(len(cases)), "errors": "0"} | {name: str(count) for name, count in counts.items()}


def _totals(suites: Iterable[Element]) -> dict[str, str]:
    suites = list(suites)
    return {
        name: str(sum(int(suite.attrib[name]) for suite in suites))
        for name in ("tests", "errors", "failures", "skipped")
    }
