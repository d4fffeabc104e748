"""What msgspec says of a value that does not do, in words for people who never saw Python."""

import re

_NAMES = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "text",
}
_BOUNDS = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}
_WRONG_TYPE = re.compile(r"Expected `(\w+)(?: \| null)?`, got `.*`")
_OUTSIDE = re.compile(r"Expected `\w+(?: \| null)?` ([<>]=?) (\S+)")
_PATTERN = re.compile(r"Expected `str(?: \| null)?` matching regex '(.*)'")
_LENGTH = re.compile(r"Expected `str(?: \| null)?` of length ([<>]=?) (\S+)")


def plainly(message: str) -> str:
    """The same for people; what is not known here stays as it is.

    >>> plainly("Expected `int`, got `str`"), plainly("Expected `bool | null`, got `str`")
    ('Expected a whole number', 'Expected true or false')
    >>> plainly("Expected `int` <= 200"), plainly("Expected `float | null` > 0.0")
    ('Expected at most 200', 'Expected more than 0.0')
    >>> plainly("Expected `str` of length >= 1")
    'Expected text of at least 1 in length'
    >>> plainly("Expected `str` matching regex '^[A-Z]{3}$'")
    'Expected text like ^[A-Z]{3}$'
    >>> plainly("Invalid UUID"), plainly("Object missing a field")
    ('Expected an id (UUID)', 'Object missing a field')
    """
    if (found := _WRONG_TYPE.fullmatch(message)) and found[1] in _NAMES:
        return f"Expected {_NAMES[found[1]]}"
    if found := _OUTSIDE.fullmatch(message):
        return f"Expected {_BOUNDS[found[1]]} {found[2]}"
    if found := _LENGTH.fullmatch(message):
        return f"Expected text of {_BOUNDS[found[1]]} {found[2]} in length"
    if found := _PATTERN.fullmatch(message):
        return f"Expected text like {found[1]}"
    return "Expected an id (UUID)" if message == "Invalid UUID" else message


def counted(number: int, one: str, many: str = "") -> str:
    """A number with what it counts, of which most have an s.

    >>> counted(1, "job"), counted(0, "job"), counted(2, "process", "processes")
    ('1 job', '0 jobs', '2 processes')
    """
    return f"{number} {one if number == 1 else many or one + 's'}"
