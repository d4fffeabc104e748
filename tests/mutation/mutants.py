"""Makes mutants of a file: mutmut's operators on everything that decides, tables and rules included.

mutmut itself passes over module-level tables and decorated functions, which is what the error table
and the rules are made of; so its operators are used here, and the files are changed as a whole.
"""

from collections.abc import Iterator
from typing import NamedTuple

import libcst as cst
import libcst.matchers as m
from libcst.metadata import ByteSpanPositionProvider, CodeSpan, MetadataWrapper
from mutmut.mutation.mutators import mutation_operators, operator_string

from tests.mutation.watch import function_at, statement_at

WORDS_FOR_PEOPLE = " "
"""A text with a space in it is prose; nobody should have to repeat it in a test."""
LEFT_ALONE = (
    m.Annotation()
    | m.TypeAlias()
    | m.TypeParameters()
    | m.Import()
    | m.ImportFrom()
    | m.Assert()
    | m.Expr(value=m.SimpleString() | m.ConcatenatedString())
    | m.Assign(targets=[m.AssignTarget(m.Name("__all__") | m.Name("__slots__") | m.Name("log"))])
    | m.Call(func=m.Name("len") | m.Name("isinstance") | m.Name("cast"))
    | m.Call(func=m.Attribute(value=m.Name("log")))
)
"""As mutmut does, and what is only logged."""

HEADING = m.Call(func=m.Name("rule"))
"""Of a rule: `when` as a whole only spares asking it, its subcode is for readers."""


class Mutant(NamedTuple):
    """One file with one thing changed."""

    file: str
    was: str
    now: str
    line: int
    above: str
    """The line above it, which tells apart what is written alike in two places."""
    statement: range
    """The lines that the change is a part of."""
    function: range
    """The lines of the function around it."""
    code: str


def mutants(file: str, text: str) -> list[Mutant]:
    """Every change of the file, each once."""
    wrapper = MetadataWrapper(cst.parse_module(text), unsafe_skip_copy=True)
    spans = wrapper.resolve(ByteSpanPositionProvider)
    whole = text.encode()
    found: dict[str, Mutant] = {}
    for node, other in _changes(wrapper.module):
        code = _replaced(wrapper.module, whole, spans[node], node, other)
        if code not in found and code != text and _is_valid(code):
            was, now, line = _difference(text, code)
            above = text.splitlines()[line - 2].strip()
            around = statement_at(text, line), function_at(text, line)
            found[code] = Mutant(file, was, now, line, above, *around, code)
    return list(found.values())


def _replaced(
    module: cst.Module, whole: bytes, span: CodeSpan, node: cst.CSTNode, other: cst.CSTNode
) -> str:
    if isinstance(node, cst.Match):  # which has lines of its own, and their indentation
        return module.deep_replace(node, other).code
    before, after = whole[: span.start].decode(), whole[span.start + span.length :].decode()
    there = whole[span.start : span.start + span.length].decode()
    return before + _indented(module, there, node, other) + after


def _indented(module: cst.Module, there: str, node: cst.CSTNode, other: cst.CSTNode) -> str:
    """What is written alone begins its lines at the margin; here they stand where the others do."""
    alone, lines = (module.code_for_node(each).split("\n") for each in (node, other))
    within = there.split("\n")
    if 1 in (len(alone), len(within)) or not within[1].endswith(alone[1]):
        return "\n".join(lines)
    margin = within[1].removesuffix(alone[1])
    return "\n".join([lines[0], *(margin + line if line else line for line in lines[1:])])


def _changes(node: cst.CSTNode) -> Iterator[tuple[cst.CSTNode, cst.CSTNode]]:
    if m.matches(node, LEFT_ALONE):
        return
    if m.matches(node, HEADING):
        for argument in node.args:
            if not m.matches(argument, m.Arg(value=m.Integer())):
                yield from _changes(argument)
        return
    for kind, operator in mutation_operators:
        if isinstance(node, kind):
            others = operator(node)
            if operator is operator_string:
                others = list(others)[: 0 if WORDS_FOR_PEOPLE in getattr(node, "value", "") else 1]
            yield from ((node, other) for other in others)
    yield from ((node, other) for other in _without_one(node))
    for child in node.children:
        # what stands behind a class's name says how it is built, not what it does
        if not (isinstance(node, cst.ClassDef) and isinstance(child, cst.Arg)):
            yield from _changes(child)


def _without_one(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The table without one of its lines."""
    if isinstance(node, cst.Tuple | cst.List | cst.Set | cst.Dict) and len(node.elements) > 1:
        for index in range(len(node.elements)):
            rest = [*node.elements[:index], *node.elements[index + 1 :]]
            if isinstance(node, cst.Tuple) and len(rest) == 1:
                rest = [rest[0].with_changes(comma=cst.Comma())]
            yield node.with_changes(elements=rest)


def _is_valid(code: str) -> bool:
    try:
        compile(code, "mutant", "exec")
    except SyntaxError:
        return False
    return True


def _difference(text: str, code: str) -> tuple[str, str, int]:
    before, after = text.splitlines(), code.splitlines()
    start = _alike(before, after)
    same = _alike(before[start:][::-1], after[start:][::-1])
    was = " ".join(line.strip() for line in before[start : len(before) - same])
    now = " ".join(line.strip() for line in after[start : len(after) - same])
    return was, now, start + 1


def _alike(before: list[str], after: list[str]) -> int:
    shortest = min(len(before), len(after))
    return next((i for i in range(shortest) if before[i] != after[i]), shortest)
