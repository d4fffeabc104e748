"""Every documented code of Meta's means one outcome, and says what to do."""

import pytest

from common.errors import Reject, Retry, Unknown, Wait
from workers.platforms.meta.outcomes import TABLE, blame, error_data, outcome, upstream

DOCUMENTED = [
    (1, None, Unknown),
    (2, None, Unknown),
    (-1, None, Unknown),
    (2, 1504043, Unknown),
    (1, 99, Unknown),
    (4, None, Wait),
    (4, 1504022, Wait),
    (4, 1504039, Wait),
    (17, 2446079, Wait),
    (17, None, Wait),
    (17, 1885172, Wait),
    (32, None, Wait),
    (341, None, Wait),
    (613, None, Wait),
    (613, 1487742, Wait),
    (613, 5044001, Wait),
    (613, 1487632, Wait),
    (613, 1487225, Wait),
    *(
        (code, None, Wait)
        for code in (80000, 80001, 80002, 80003, 80004, 80005, 80006, 80008, 80009, 80014)
    ),
    (80004, 2446079, Wait),
    (100, 1487390, Retry),
    (100, 33, Retry),
    (2601, 1815107, Retry),
    (6001, 1363037, Retry),
    (6000, None, Retry),
    (351, None, Retry),
    (6001, 1363030, Retry),
    (100, None, Reject),
    (100, 1885621, Reject),
    (100, 4834011, Reject),
    (100, 1870227, Reject),
    (2500, None, Reject),
    (194, None, Reject),
    (100, 1504018, Reject),
    (2, 1504038, Reject),
    (100, 1487534, Reject),
    *((190, sub, Wait) for sub in (None, 458, 459, 460, 463, 464, 467, 492, 493)),
    (102, None, Wait),
    *((code, None, Reject) for code in (3, 10, 200, 210, 270, 283, 294, 299, 3191001)),
    (368, None, Reject),
    (368, 1404078, Reject),
    (100, 2859015, Reject),
    (200, 1870034, Reject),
    (200, 1870090, Reject),
    (2654, None, Reject),
    (2635, None, Reject),
    (104, None, Reject),
    (9, None, Reject),
    (506, None, Reject),
    (352, None, Reject),
    (382, None, Reject),
    (389, None, Reject),
    (123456, None, Reject),
]


def judged(code, subcode=None, *, is_write=True, regain=None, **rest):
    error = {"code": code, "error_subcode": subcode, "message": "m", "fbtrace_id": "T", **rest}
    return outcome(error, is_write=is_write, pointer="/p", regain_seconds=regain)


@pytest.mark.parametrize(("code", "subcode", "kind"), DOCUMENTED)
def test_a_documented_code_means_one_outcome(code, subcode, kind):
    found = judged(code, subcode)

    assert type(found) is kind
    assert found.code
    assert found.remedy
    assert found.upstream["code"] == code
    assert found.upstream["trace_id"] == "T"
    assert found.pointer == "/p"


def test_every_line_of_the_table_is_reached():
    used = {judged(code, subcode).code for code, subcode, _ in DOCUMENTED}

    assert {row.word for row in TABLE} <= used


@pytest.mark.parametrize("code", [1, 2, -1])
def test_a_transient_code_leaves_a_doubt_behind_a_write_only(code):
    assert type(judged(code, is_write=True)) is Unknown
    assert type(judged(code, is_write=False)) is Retry


def test_is_transient_decides_nothing():
    assert type(judged(100, is_transient=True)) is Reject
    assert type(judged(100, 1487390, is_transient=False)) is Retry


def test_a_throttle_lasts_as_long_as_meta_says_else_as_documented():
    assert judged(80004, regain=420).seconds == 420
    assert judged(17).seconds == 60
    assert judged(613).seconds == 300
    assert judged(613, 1487632).seconds == 3600


def test_a_dead_token_waits_for_a_new_one():
    found = judged(190, 463)

    assert (found.reason, found.seconds) == ("reauth_required", None)


def test_what_people_are_told_comes_first():
    assert judged(100, error_user_msg="Too low.").message == "Too low."
    assert judged(100).message == "m"
    assert outcome({}, is_write=True, pointer=None, regain_seconds=None).message


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"blame_field_specs": [["daily_budget"]]}, [["daily_budget"]]),
        ('{"blame_field_specs": [["targeting", "age_max"]]}', [["targeting", "age_max"]]),
        ("not json", []),
        ("[1]", []),
        (None, []),
        ({"blame_field_specs": "x"}, []),
        ({"blame_field_specs": ["x", ["y"]]}, [["y"]]),
    ],
)
def test_blame_comes_in_many_shapes(data, expected):
    assert blame({"error_data": data}) == expected


def test_offsets_are_read_from_either_shape():
    assert error_data({"error_data": {"start_offset": "5"}}) == {"start_offset": "5"}
    assert error_data({"error_data": '{"start_offset": "5"}'}) == {"start_offset": "5"}


def test_odd_values_do_not_break_what_is_stored():
    found = upstream({"code": "100", "error_subcode": True, "message": 5})

    assert (found["code"], found["subcode"], found["message"]) == (None, None, "5")
