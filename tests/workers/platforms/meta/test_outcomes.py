"""Every documented code of Meta's means one outcome, and says what to do."""

from typing import NamedTuple

import pytest

from common.errors import Reject, Retry, StepError, Unknown, Wait
from models.jsonb import to_jsonb
from workers.platforms.meta.outcomes import TABLE, blame, error_data, outcome, upstream


class Means(NamedTuple):
    """What callers and the ledger get for some codes, each with its subcode."""

    kind: type[StepError]
    word: str
    pairs: list[tuple[int, int | None]]
    seconds: float | None = None
    retryable: bool | None = None


def alone(*codes: int) -> list[tuple[int, int | None]]:
    return [(code, None) for code in codes]


FORBIDDEN = (3, 10, 200, 210, 270, 283, 294, 299, 3191001)
BUSINESS_LIMITS = (80000, 80001, 80002, 80003, 80004, 80005, 80006, 80008, 80009, 80014)
OF_TOKENS = (458, 459, 460, 463, 464, 467, 492, 493)

MEANINGS = [
    Means(Unknown, "platform_failed", [*alone(1, 2, -1), (2, 1504043), (1, 99)]),
    Means(Wait, "throttled_app", [(4, None), (4, 1504022), (4, 1504039)], 60),
    Means(Wait, "throttled", [(17, None), (17, 2446079), (80004, 2446079), (613, 1487742)], 60),
    Means(Wait, "throttled", alone(32, 341, 613, *BUSINESS_LIMITS), 300),
    Means(Wait, "throttled", [(613, 5044001)], 5),
    Means(Wait, "throttled_for_an_hour", [(613, 1487632), (613, 1487225)], 3600),
    Means(Wait, "throttled_for_a_day", [(17, 1885172)], 3600),
    Means(Wait, "token_rejected", [*alone(102, 190), *((190, sub) for sub in OF_TOKENS)]),
    Means(Retry, "creative_not_made", [(100, 1487390)]),
    Means(Retry, "video_frame_missing", [(100, 1443226), (100, 1443048)]),
    Means(Retry, "object_not_visible", [(100, 33)]),
    Means(Retry, "report_not_ready", [(2601, 1815107)]),
    Means(Retry, "upload_offset_moved", [(6001, 1363037)]),
    Means(Retry, "upload_timed_out", [(6001, 1363030), (390, 1363030)]),
    Means(Retry, "upload_failed", alone(6000, 351)),
    Means(
        Reject,
        "refused_by_platform",
        [*alone(100, 2500, 194, 2601), (100, 1885621), (100, 4834011), (100, 1870227)],
        retryable=False,
    ),
    Means(
        Reject,
        "too_much_data",
        [(100, 1504018), (100, 1487534), (2, 1504038)],
        retryable=True,
    ),
    Means(Reject, "permission_missing", alone(*FORBIDDEN), retryable=True),
    Means(Reject, "account_blocked", alone(368, 1404078), retryable=False),
    Means(
        Reject,
        "account_restricted",
        [(368, 1404078), (100, 2859015), (100, 1404163), (100, 3910001)],
        retryable=True,
    ),
    Means(
        Reject,
        "terms_not_accepted",
        [(200, 1870034), (200, 1870090), (200, 1870092), (2654, None)],
        retryable=True,
    ),
    Means(Reject, "version_retired", alone(2635), retryable=True),
    Means(Reject, "proof_rejected", alone(104), retryable=True),
    Means(Reject, "duplicate_refused", alone(9, 506), retryable=False),
    Means(Reject, "video_format_refused", alone(352), retryable=False),
    Means(Reject, "video_too_small", alone(382), retryable=False),
    Means(Reject, "video_not_fetched", alone(389), retryable=False),
]
DOCUMENTED = [(*pair, means) for means in MEANINGS for pair in means.pairs]
ONLY_TOGETHER = [
    (1885172, 17),
    (1487632, 613),
    (1487225, 613),
    (1487742, 613),
    (5044001, 613),
    (1487390, 100),
    (33, 100),
    (1504018, 100),
    (1487534, 100),
    (1504038, 2),
    (1815107, 2601),
    (1870034, 200),
    (1870090, 200),
    (1870092, 200),
    (1363037, 6001),
]


def judged(code, subcode=None, *, is_write=True, regain=None, status=400, **rest):
    error = {"code": code, "error_subcode": subcode, "message": "m", "fbtrace_id": "T", **rest}
    return outcome(error, is_write=is_write, pointer="/p", regain_seconds=regain, status=status)


@pytest.mark.parametrize(("code", "subcode", "means"), DOCUMENTED)
def test_a_documented_code_means_one_outcome(code, subcode, means):
    found = judged(code, subcode)

    assert type(found) is means.kind
    assert found.code == means.word
    assert found.remedy
    assert found.message == "m"
    assert found.pointer == "/p"
    assert getattr(found, "seconds", None) == means.seconds
    assert getattr(found, "retryable", None) is means.retryable


@pytest.mark.parametrize(("subcode", "code"), ONLY_TOGETHER)
def test_a_subcode_that_belongs_to_one_code_says_nothing_beside_another(subcode, code):
    assert judged(123456, subcode).code == "refused_by_platform"
    assert judged(code, subcode).code != judged(code).code or judged(code, subcode).seconds


@pytest.mark.parametrize("code", [123456, 79999, 80015, 199, 300, 0, None, True, "190"])
def test_a_code_that_nobody_documented_is_a_refusal_for_good(code):
    found = judged(code)

    assert type(found) is Reject
    assert found.code == "refused_by_platform"
    assert found.remedy
    assert found.pointer == "/p"
    assert found.upstream["trace_id"] == "T"
    assert not found.retryable


def test_every_line_of_the_table_is_reached():
    used = {means.word for means in MEANINGS}

    assert {row.word for row in TABLE} == used - {"refused_by_platform"}


@pytest.mark.parametrize("code", [1, 2, -1])
def test_a_transient_code_leaves_a_doubt_behind_a_write_only(code):
    write, read = judged(code, is_write=True), judged(code, is_write=False)

    assert type(write) is Unknown
    assert type(read) is Retry
    assert write.message == read.message == "m"
    assert read.after is None


@pytest.mark.parametrize(
    ("code", "subcode"),
    [(None, None), (123456, None), (100, 1885621), (368, None), (100, 33), (1, None)],
)
def test_a_server_that_failed_leaves_a_doubt_behind_a_write_whatever_it_says(code, subcode):
    write = judged(code, subcode, status=500)
    read = judged(code, subcode, status=500, is_write=False)

    assert (type(write), type(read)) == (Unknown, Retry)
    assert write.code == read.code == "platform_failed"
    assert write.remedy == judged(2).remedy
    assert read.after is None


@pytest.mark.parametrize(("code", "reason"), [(4, "throttled"), (190, "reauth_required")])
def test_a_server_that_failed_may_say_all_the_same_what_to_wait_for(code, reason):
    assert judged(code, status=500).reason == reason


def test_is_transient_decides_nothing():
    assert type(judged(100, is_transient=True)) is Reject
    assert type(judged(100, 1487390, is_transient=False)) is Retry


def test_a_throttle_lasts_as_long_as_meta_says_else_as_documented():
    assert judged(80004, regain=420).seconds == 420
    assert judged(80004, regain=5).seconds == 5


@pytest.mark.parametrize(("code", "subcode"), [(613, 1487225), (613, 1487632), (17, 1885172)])
def test_the_headers_of_another_limit_do_not_shorten_the_hour_of_a_quota(code, subcode):
    assert judged(code, subcode, regain=60).seconds == 3600
    assert judged(code, subcode, regain=7200).seconds == 7200
    assert judged(17).seconds == 60
    assert judged(17).reason == "throttled"


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


def test_callers_are_shown_metas_own_account_of_an_error():
    error = {
        "code": 100,
        "error_subcode": 1885621,
        "message": "Invalid parameter",
        "error_user_title": "Budget",
        "error_user_msg": "Too low.",
        "error_data": {"blame_field_specs": [["daily_budget"]]},
        "fbtrace_id": "T",
    }

    found = outcome(error, is_write=True, pointer=None, regain_seconds=None)

    assert type(found) is Reject
    assert found.upstream == {
        "platform": "META",
        "code": 100,
        "subcode": 1885621,
        "message": "Invalid parameter",
        "user_title": "Budget",
        "user_message": "Too low.",
        "blame": [["daily_budget"]],
        "trace_id": "T",
    }


def test_what_meta_does_not_say_is_shown_as_nothing():
    said = upstream({"code": 1})

    assert {name for name, value in said.items() if value is None} == {
        "subcode",
        "message",
        "user_title",
        "user_message",
        "blame",
        "trace_id",
    }


def test_odd_values_do_not_break_what_is_stored():
    found = upstream({"code": "100", "error_subcode": True, "message": 5})

    assert (found["code"], found["subcode"], found["message"]) == (None, None, "5")


@pytest.mark.parametrize("number", [2**63, -(2**63), 10**400])
def test_a_number_that_no_code_has_is_no_code(number):
    found = judged(number, number)

    assert type(found) is Reject
    assert (found.upstream["code"], found.upstream["subcode"]) == (None, None)
    assert to_jsonb(found.upstream)


@pytest.mark.parametrize("code", [100, 506, 123456])
def test_who_must_change_the_request_is_told_that_it_is_a_new_one(code):
    remedy = judged(code).remedy

    assert "new request" in remedy
    assert "new Idempotency-Key" in remedy


def test_who_sends_a_changed_request_is_told_what_stays():
    assert "what this job has made stays, paused" in judged(100, 1885272).remedy
