"""How a broken promise is told."""


class Broken(AssertionError):
    """The database and the plain model disagree, or a rule of the job was broken."""


def demand(condition: bool, what: str) -> None:
    if not condition:
        raise Broken(what)
