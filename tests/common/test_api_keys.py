"""Keys are recognised, mistyped ones are not, and nothing of them is kept but a hash."""

import re

from common.api_keys import hash_key, key_prefix, make_key, parse_key


def test_a_key_says_what_it_is_for():
    assert parse_key(make_key("sandbox")) == "sandbox"
    assert parse_key(make_key("live")) == "live"
    assert make_key("sandbox").startswith("mj_test_")
    assert make_key("live").startswith("mj_live_")


def test_a_key_carries_more_than_128_random_bits_and_a_checksum():
    assert re.fullmatch(r"mj_live_[0-9A-Za-z]{32}[0-9A-Za-z]{6}", make_key("live"))
    assert len({make_key("live") for _ in range(1000)}) == 1000


def test_any_mistyped_character_is_noticed():
    key = make_key("sandbox")

    for index in range(8, len(key)):
        other = "a" if key[index] != "a" else "b"
        assert parse_key(key[:index] + other + key[index + 1 :]) is None


def test_a_test_key_cannot_be_made_live_by_hand():
    assert parse_key(make_key("sandbox").replace("mj_test_", "mj_live_")) is None


def test_what_is_no_key_at_all_is_none():
    for text in ("", "mj_test_", "mj_live_" + "é" * 38, make_key("live") + "a", "\x00"):
        assert parse_key(text) is None


def test_hash_and_prefix_do_not_give_the_key_away():
    key = make_key("live")

    assert len(hash_key(key)) == 32
    assert hash_key(key) == hash_key(key) != hash_key(make_key("live"))
    assert len(key_prefix(key)) == 12
