"""The `github` format: read back as the runner of GitHub Actions reads it."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from conclint.report import Run, github
from tests import report_samples as samples


def commands(run: Run) -> list[tuple[str, dict[str, str], str]]:
    """Each line as a command, its properties and its message."""
    found = []
    for line in re.split(r"[\r\n]", github.render(run))[:-1]:
        assert line.startswith("::")
        head, _, message = line[2:].partition("::")
        command, _, listed = head.partition(" ")
        properties = dict(entry.split("=", 1) for entry in listed.split(","))
        found.append(
            (command, {name: unescaped(value, colons=True) for name, value in properties.items()}, unescaped(message))
        )
    return found


def unescaped(text: str, colons: bool = False) -> str:
    pairs = [("%0D", "\r"), ("%0A", "\n"), *([("%3A", ":"), ("%2C", ",")] if colons else []), ("%25", "%")]
    for escape, char in pairs:
        text = text.replace(escape, char)
    return text


def test_a_command_a_finding_and_a_problem() -> None:
    assert github.render(samples.ordinary()) == (
        "::error title=CNC101 the-name,file=src/a.py,line=3,col=7,endLine=3,endColumn=9"
        "::it hangs%0A1: src/a.py:3: `lock` is acquired%0A2: b.py:5: raises\n"
        "::warning title=CNC101 the-name,file=src/a.py,line=8,col=1,endLine=10::it hangs\n"
        "::notice title=CNC101 the-name,file=b.py,line=3,col=7,endLine=3,endColumn=9::it hangs\n"
        "::error title=conclint,file=gone.py::gone.py: cannot be read\n"
        "::notice title=conclint,file=loop::loop: not followed\n"
    )
    assert github.render(samples.run()) == ""


def test_hostile_strings_stay_in_their_commands() -> None:
    text = github.render(samples.hostile())
    assert text.replace("\n", "").isprintable()
    assert [(command, properties["title"]) for command, properties, _ in commands(samples.hostile())] == [
        ("error", "CNC101 the-name"),
        ("error", "CNC101 the-name"),
        ("error", "conclint"),
        ("notice", "conclint"),
    ]
    _, (_, properties, message), *_ = commands(samples.hostile())
    assert (properties["file"], message) == ("::error::x", "::error::x")


@given(st.text(alphabet=st.one_of(st.sampled_from("%:,=\r\n0ADC235 \x1b"), st.characters())))
def test_what_is_printable_comes_back_as_it_was(text: str) -> None:
    ((command, properties, message),) = commands(samples.run(samples.finding(text, message=text)))
    assert command == "error"
    for read in (properties["file"], message):
        assert re.sub(r"[\r\n]", "", read).isprintable()
        if re.sub(r"[\r\n]", "", text).isprintable():
            assert read == text


def test_a_path_that_is_a_command_is_none_in_the_concise_format() -> None:
    from conclint.report import concise

    (line,) = concise.render(samples.run(samples.finding("::error::x"))).splitlines()
    assert line == "./::error::x:3:7: CNC101 it hangs"
