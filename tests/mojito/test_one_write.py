"""What a connection writes in one turn of the loop leaves in one piece, in order, and nothing is kept."""

import asyncio

import pytest

from mojito.one_write import OneWrite


class Wire(asyncio.Transport):
    """Keeps what leaves, piece by piece."""

    def __init__(self):
        super().__init__()
        self.pieces, self.end = [], None

    def write(self, data):
        if self.end:
            raise RuntimeError("it is closed")  # as uvloop does
        self.pieces.append(bytes(data))

    def get_write_buffer_size(self):
        return 100

    def is_closing(self):
        return self.end is not None

    def close(self):
        self.end = "closed"

    def abort(self):
        self.end = "aborted"

    def get_extra_info(self, name, default=None):
        return f"its {name}"


@pytest.fixture
def wire():
    return Wire()


@pytest.fixture
async def transport(wire):
    return OneWrite(wire, asyncio.get_running_loop())


async def next_turn():
    turned = asyncio.Event()
    asyncio.get_running_loop().call_soon(turned.set)
    await turned.wait()


async def test_head_and_body_leave_in_one_piece(wire, transport):
    transport.write(b"head ")
    transport.write(b"body")

    assert wire.pieces == [b"head body"]
    await next_turn()
    assert wire.pieces == [b"head body"]


async def test_a_head_whose_body_comes_later_leaves_in_the_next_turn(wire, transport):
    transport.write(b"head")
    assert wire.pieces == []

    await next_turn()
    assert wire.pieces == [b"head"]

    transport.write(b"event")
    await next_turn()
    assert wire.pieces == [b"head", b"event"]


async def test_many_pieces_keep_their_order(wire, transport):
    for number in range(7):
        transport.write(b"%d" % number)
    await next_turn()

    assert b"".join(wire.pieces) == b"0123456"


async def test_an_empty_body_sends_its_head_along(wire, transport):
    transport.write(b"head")
    transport.write(b"")

    assert wire.pieces == [b"head"]


async def test_what_is_held_is_sent_before_the_end(wire, transport):
    transport.write(b"last words")
    transport.close()

    assert (wire.pieces, wire.end) == ([b"last words"], "closed")


async def test_an_abort_sends_nothing_more(wire, transport):
    transport.write(b"too late")
    transport.abort()
    await next_turn()

    assert (wire.pieces, wire.end) == ([], "aborted")


async def test_what_is_written_after_the_end_is_thrown_away(wire, transport):
    transport.write(b"head")
    wire.close()
    transport.write(b"body")
    transport.close()
    transport.write(b"one")
    transport.write(b"two")

    assert (wire.pieces, transport.get_write_buffer_size()) == ([], 100)


async def test_what_is_held_counts_as_waiting(transport):
    sizes = [transport.get_write_buffer_size()]
    for piece in (b"12345", b"6"):
        transport.write(piece)
        sizes.append(transport.get_write_buffer_size())

    assert sizes == [100, 105, 100]


async def test_what_left_with_the_next_turn_or_with_an_abort_waits_no_more(transport):
    transport.write(b"12345")
    await next_turn()
    after_a_turn = transport.get_write_buffer_size()
    transport.write(b"12345")
    transport.abort()

    assert (after_a_turn, transport.get_write_buffer_size()) == (100, 100)


async def test_everything_else_is_the_wires(transport):
    assert transport.get_extra_info("peername") == "its peername"
