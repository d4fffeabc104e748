"""What the documents name exists: files, commands of the program with their options, pages behind links."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mojito.main import COMMANDS, main

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"`([^`]+)`")
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
FOLDERS = (
    r"(?:\.ci|bench|cmd|common|config|docs|examples|middleware|models|queries|routes|tests|workers)"
)
AT_ROOT = r"(?:[A-Z]+\.md|pyproject\.toml|requirements[\w.]*|sqlc\.yaml)"
PATH = re.compile(rf"(?:{FOLDERS}/[\w./-]*|{AT_ROOT})")
COMMAND = re.compile(r"(?:\./)?mojito +([a-z]+)((?: +[^\s`|;&#)]+)*)")
WORD = re.compile(r"[a-z]+")
HANDED_ON = {"test"}
"""What this command does not know itself goes to pytest."""

type Help = Callable[[str], str]


@pytest.fixture
def help_of(capsys: pytest.CaptureFixture[str]) -> Help:
    def ask(words: str) -> str:
        with pytest.raises(SystemExit) as ended:
            main([*words.split(), "--help"])
        assert ended.value.code == 0, words
        return capsys.readouterr().out

    return ask


def code(text: str) -> Iterator[str]:
    """Everything that is written as code: shell blocks, and what stands in backticks elsewhere."""
    for language, block in FENCE.findall(text):
        if language == "sh":
            yield block
    yield from INLINE.findall(FENCE.sub("", text))


def missing_files(text: str) -> list[str]:
    """Paths in code that look like the repository's and are not there."""
    named = [word for part in code(text) for word in part.split() if PATH.fullmatch(word)]
    return [name for name in named if not (ROOT / name).exists()]


def missing_commands(text: str, help_of: Help) -> list[str]:
    """Commands of the program in code that its help does not name."""
    return [
        f"mojito {command}{rest}"
        for part in code(text)
        for command, rest in COMMAND.findall(part)
        if not is_known(command, rest.split(), help_of)
    ]


def is_known(command: str, rest: list[str], help_of: Help) -> bool:
    """Whether command, subcommand and options stand in the help."""
    if command not in COMMANDS:
        return False
    told = help_of(command)
    if rest and (choices := re.search(r"\{([a-z,]+)\} \.\.\.", told)):
        wanted = [word for word in rest[0].split("|") if WORD.fullmatch(word)]
        if not wanted or not set(wanted) <= set(choices[1].split(",")):
            return False
        told = "".join(help_of(f"{command} {word}") for word in wanted)
    options = [word.strip("[]") for word in rest if word.strip("[]").startswith("--")]
    return command in HANDED_ON or all(option in told for option in options)


def missing_pages(page: Path) -> list[str]:
    """Links to files that are not there."""
    targets = LINK.findall(FENCE.sub("", page.read_text()))
    return [
        target
        for target in targets
        if "://" not in target and not (page.parent / target).resolve().exists()
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_names_exists(page, help_of):
    text = page.read_text()

    assert missing_files(text) == []
    assert missing_commands(text, help_of) == []
    assert missing_pages(page) == []


def test_what_is_missing_would_be_found(help_of, tmp_path):
    text = """`routes/nothing.py` and `routes/app.py`, `mojito dance`, `mojito keys sing --team ads`
```sh
./mojito up --quickly    # with bench/none.py
./mojito keys create --team ads
```
[a page](none.md), [a place](https://example.com/none.md)
"""
    page = tmp_path / "page.md"
    page.write_text(text)

    assert missing_files(text) == ["bench/none.py", "routes/nothing.py"]
    assert missing_commands(text, help_of) == [
        "mojito up --quickly",
        "mojito dance",
        "mojito keys sing --team ads",
    ]
    assert missing_pages(page) == ["none.md"]


def test_every_document_is_in_the_index():
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / target).resolve() for target in LINK.findall(index.read_text())}

    documents = set((ROOT / "docs").rglob("*.md")) - {index}

    assert documents - linked == set()
