"""The two rules on suppressions themselves. Only what all other rules found can tell: the engine asks here last."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Sequence
from collections.abc import Set as AbstractSet

from .model import Applicability, Edit, Finding, Fix, Rule, Span
from .registry import meant, nearest_rule
from .suppressions import Comment, Directive, Selector, Suppressions, directives

UNUSED, UNKNOWN = "CNC901", "CNC902"

_OURS = re.compile(r"CNC\d+", re.IGNORECASE)
_CODE = re.compile(r"[A-Za-z]+[0-9]+")
# What would speak to another tool, or declare an encoding, if it stood alone in a comment.
_SPEAKS_TO_OTHERS = re.compile(r"[\w.-]+\s*[:=]|.*coding[:=]|[!%]|noqa|nosec|pragma|pylint|fmt|isort", re.IGNORECASE)
_MEANT_FOR_US = re.compile(r"\s*(?:[\[:=]|#|$)")
_LIKE_OURS = re.compile(r"ignor|ingor|igno|skip|no-?qa|disable|enable|off\b|no-?check", re.IGNORECASE)


def judge(
    suppressions: Suppressions, findings: Sequence[Finding], rules: Sequence[Rule], ran: AbstractSet[str], path: str
) -> list[Finding]:
    """What is wrong with the comments of a file: that they silence none of ``findings``, or name no rule.

    ``rules`` are those selected, ``ran`` the codes of those that looked at all of the file: of the others nobody knows
    what they would have found. ``findings`` are sorted, and with what is suppressed.
    """
    chosen = {rule.code: rule for rule in rules}
    if not (UNUSED in chosen or UNKNOWN in chosen):
        return []
    lines = [finding.span.line for finding in findings]
    made: list[Finding] = []
    known: dict[int, set[tuple[str, str]]] = {}
    for comment in suppressions.about_us():
        if UNKNOWN in chosen:
            for message, start, end in _unknown(comment):
                made.append(_finding(chosen[UNKNOWN], path, comment, message, start, end, None))
        if UNUSED in chosen:
            if comment.first not in known:
                here = findings[bisect_left(lines, comment.first) : bisect_right(lines, comment.last)]
                known[comment.first] = {(finding.code, finding.name) for finding in here}
            found = known[comment.first]
            unused = [s for d in comment.directives for s in d.selectors if _is_unused(s, d, found, ran)]
            if unused:
                message, fix = _unused_message(comment, unused), _removal(comment, unused, suppressions.lines)
                made.append(_finding(chosen[UNUSED], path, comment, message, unused[0].start, unused[-1].end, fix))
    return made


def _finding(rule: Rule, path: str, comment: Comment, message: str, start: int, end: int, fix: Fix | None) -> Finding:
    span = Span(comment.line, comment.column + start, comment.line, comment.column + end)
    return Finding(path, span, rule.code, rule.name, rule.severity, message, "", (), fix, "")


def _is_unused(
    selector: Selector, directive: Directive, found: Collection[tuple[str, str]], ran: AbstractSet[str]
) -> bool:
    if directive.is_noqa and selector.text.upper() == "ALL":
        return False
    codes = {rule.code for rule in meant(selector.text)}
    if not codes or not codes <= ran or codes & {UNUSED, UNKNOWN}:
        return False
    return not any(selector.covers(code, name) for code, name in found)


def _unused_message(comment: Comment, unused: Sequence[Selector]) -> str:
    names = [f"`{selector.text}`" for selector in unused]
    listed = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    verb = "silences" if len(names) == 1 else "silence"
    if comment.is_alone:
        return f"{listed} {verb} nothing: a comment on a line of its own speaks for no other line"
    return f"{listed} {verb} nothing: this statement has no such finding, and one that it gets later would be hidden"


def _unknown(comment: Comment) -> Iterator[tuple[str, int, int]]:
    """What the comment says that conclint does not know: a message, and where in the comment."""
    for directive in comment.directives:
        start, end = directive.start, directive.end
        if directive.is_noqa or directive.word == "ignore":
            for selector in directive.selectors:
                # Whatever else `noqa` names may be another tool's.
                is_ours = not directive.is_noqa or _OURS.fullmatch(selector.text)
                if is_ours and not meant(selector.text):
                    guess = nearest_rule(selector.text)
                    message = f"`{selector.text}` names no rule, so it silences nothing; did you mean `{guess}`?"
                    yield message, selector.start, selector.end
            if directive.word == "ignore" and not directive.selectors and not directive.silences_all:
                yield "this `ignore` names no rule, so it silences nothing; write `ignore[CNC101]`", start, end
        elif directive.word != "skip-file" and _is_meant_for_us(comment.text, directive):
            message = f"`conclint: {directive.word}` means nothing; conclint knows `ignore[...]` and `skip-file`"
            yield message, start, end


def _is_meant_for_us(text: str, directive: Directive) -> bool:
    """Whether it is a directive gone wrong, and no prose that happens to start with our name."""
    return bool(_LIKE_OURS.match(directive.word) or _MEANT_FOR_US.match(text, directive.end))


def _removal(comment: Comment, unused: Sequence[Selector], lines: Sequence[str]) -> Fix | None:
    """A fix that takes ``unused`` out of the comment, or what is left of the comment, if nothing else changes."""
    text = comment.text
    kept: list[str] = []
    dropped = set(unused)
    for directive in reversed(comment.directives):
        gone = [selector for selector in directive.selectors if selector in dropped]
        rest = [selector for selector in directive.selectors if selector not in dropped]
        kept += [selector.text for selector in rest]
        if directive.is_noqa and gone and not _CODE.fullmatch(rest[0].text if rest else gone[0].text):
            return None  # flake8 takes it, before or after, for one without codes, which silences everything
        if gone and rest:
            listed = text[directive.selectors[0].start : directive.selectors[-1].end]
            between = ", " if ", " in listed else "," if "," in listed else " "
            text = _replaced(text, directive.selectors, between.join(selector.text for selector in rest))
        elif gone:
            reason = text[directive.end :].lstrip(" \t\f:,;-")
            if reason and not reason.startswith("#"):
                if _SPEAKS_TO_OTHERS.match(reason):
                    return None
                reason = f"# {reason}"
            text = text[: directive.start] + reason
    text = text.rstrip()
    if sorted(kept) != sorted(selector.text for told in directives(text) for selector in told.selectors):
        return None
    edit = _edit(comment, text, lines)
    return None if edit is None else Fix(Applicability.SAFE, "remove what silences nothing", (edit,))


def _replaced(text: str, selectors: Sequence[Selector], new: str) -> str:
    return text[: selectors[0].start] + new + text[selectors[-1].end :]


def _edit(comment: Comment, text: str, lines: Sequence[str]) -> Edit | None:
    """The edit that makes the comment ``text``; where that is empty, the blanks or the line that it stood on go too."""
    line, column = comment.line, comment.column
    end = column + len(comment.text)
    if text:
        return Edit(Span(line, column, line, end), text)
    code = lines[line - 1][: column - 1].rstrip()
    if code:
        return Edit(Span(line, len(code) + 1, line, end), "")
    if line <= 2:  # the lines below would move up to where Python looks for the encoding
        return None
    return Edit(Span(line - 1, len(lines[line - 2]) + 1, line, end), "")
