"""Teams, which are made when the command line first names them."""

from common.errors import Invalid
from common.uuid7 import uuid7
from models import audit
from models.gen import teams
from models.gen.rows import Connection, Team


async def ensured_team(connection: Connection, name: str, command: str) -> Team:
    """The team of that name. One that is new is in the audit log, made by the command. Raises Invalid."""
    if not name.strip() or not name.isprintable():
        raise Invalid("team: give printable text", code="invalid_name")
    new_id = uuid7()
    team = await teams.ensure_team(connection, id=new_id, name=name)
    assert team is not None  # noqa: S101 - the statement always returns the row
    if team.id == new_id:
        actor = audit.command_actor(team.id, command)
        await audit.record(connection, actor, "team.created", team.id, detail={"name": name})
    return team
