"""Secrets open in their own place with the right key, and nowhere else."""

from pathlib import Path
from uuid import UUID, uuid4

import pytest

from common.errors import ConfigurationError
from common.keyring import CannotOpen, FileKeyring, KeyMissing, Keyring, new_key_line

ROW = uuid4()
PLACE = ("ad_accounts", ROW, "credentials")


def keyring(tmp_path: Path, *lines: str) -> Keyring:
    path = tmp_path / "keys"
    path.write_text("\n".join(lines))
    return Keyring.from_file(path)


def test_a_sealed_secret_opens_again(tmp_path):
    ring = keyring(tmp_path, new_key_line("k1"))

    sealed = ring.seal(b"token", *PLACE)

    assert ring.open(sealed.ciphertext, *PLACE) == b"token"
    assert sealed.key_id == "k1"
    assert b"token" not in sealed.ciphertext


def test_the_same_secret_never_looks_the_same_twice(tmp_path):
    ring = keyring(tmp_path, new_key_line("k1"))

    assert ring.seal(b"token", *PLACE) != ring.seal(b"token", *PLACE)


@pytest.mark.parametrize(
    "place",
    [
        ("media_assets", ROW, "credentials"),
        ("ad_accounts", uuid4(), "credentials"),
        ("ad_accounts", ROW, "name"),
        ("ad_account", ROW, "scredentials"),
    ],
)
def test_a_secret_moved_to_another_place_does_not_open(tmp_path, place: tuple[str, UUID, str]):
    ring = keyring(tmp_path, new_key_line("k1"))
    sealed = ring.seal(b"token", *PLACE)

    with pytest.raises(CannotOpen):
        ring.open(sealed.ciphertext, *place)


def test_no_changed_byte_and_no_cut_goes_unnoticed(tmp_path):
    ring = keyring(tmp_path, new_key_line("k1"))
    sealed = ring.seal(b"token", *PLACE).ciphertext

    for index in range(len(sealed)):
        changed = sealed[:index] + bytes([sealed[index] ^ 1]) + sealed[index + 1 :]
        with pytest.raises(CannotOpen):
            ring.open(changed, *PLACE)
        with pytest.raises(CannotOpen):
            ring.open(sealed[:index], *PLACE)


def test_another_key_under_the_same_id_does_not_open(tmp_path):
    sealed = keyring(tmp_path, new_key_line("k1")).seal(b"token", *PLACE)

    with pytest.raises(CannotOpen):
        keyring(tmp_path, new_key_line("k1")).open(sealed.ciphertext, *PLACE)


def test_the_first_key_seals_and_older_ones_still_open(tmp_path):
    old, new = new_key_line("2025"), new_key_line("2026")
    sealed = keyring(tmp_path, old).seal(b"token", *PLACE)

    both = keyring(tmp_path, "# rotated in spring", new, "", old)

    assert both.open(sealed.ciphertext, *PLACE) == b"token"
    assert both.seal(b"other", *PLACE).key_id == "2026"


def test_a_rewrapped_secret_opens_without_the_old_key(tmp_path):
    old, new = new_key_line("2025"), new_key_line("2026")
    sealed = keyring(tmp_path, old).seal(b"token", *PLACE)

    moved = keyring(tmp_path, new, old).rewrap(sealed.ciphertext, *PLACE)

    assert moved.key_id == "2026"
    assert keyring(tmp_path, new).open(moved.ciphertext, *PLACE) == b"token"


def test_key_ids_in_use_that_are_not_here_are_named(tmp_path):
    ring = keyring(tmp_path, new_key_line("k1"))

    assert ring.missing(["k1", "k3", "k2"]) == ["k2", "k3"]


def test_a_fingerprint_is_equal_for_equal_secrets_and_depends_on_the_key(tmp_path):
    ring, other = keyring(tmp_path, new_key_line("k1")), keyring(tmp_path, new_key_line("k1"))

    assert ring.fingerprint(b"a") == ring.fingerprint(b"a") != ring.fingerprint(b"b")
    assert ring.fingerprint(b"a") != other.fingerprint(b"a")


def test_neither_the_error_nor_the_keyring_shows_anything(tmp_path):
    line = new_key_line("k1")
    ring = keyring(tmp_path, line)

    assert line.partition(":")[2] not in repr(ring)
    assert str(CannotOpen()).startswith("A stored secret cannot be opened here.")


@pytest.mark.parametrize(
    "text",
    ["", "# nothing", "k1", "k1:c2hvcnQ=", "k1:!!!", ":c2hvcnQ=", "k 1:" + "A" * 43 + "="],
)
def test_a_wrong_keys_file_is_refused_by_name_and_not_quoted(tmp_path, text: str):
    with pytest.raises(ConfigurationError) as refusal:
        keyring(tmp_path, text)

    assert "keys" in str(refusal.value)
    assert "c2hvcnQ" not in str(refusal.value)


def test_a_missing_keys_file_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match="MOJITO_ENCRYPTION_KEYS_FILE"):
        Keyring.from_file(tmp_path / "nowhere")


def test_one_key_id_cannot_stand_for_two_keys(tmp_path):
    with pytest.raises(ConfigurationError, match="twice"):
        keyring(tmp_path, new_key_line("k1"), new_key_line("k1"))


def test_a_new_first_key_is_taken_up_by_a_running_process(tmp_path):
    path = tmp_path / "keys"
    old, new = new_key_line("old"), new_key_line("newer")
    path.write_text(f"{old}\n")
    ring = FileKeyring(path)
    before = ring.seal(b"token", *PLACE)

    path.write_text(f"{new}\n{old}\n")
    after = ring.seal(b"token", *PLACE)

    assert (before.key_id, after.key_id) == ("old", "newer")
    assert ring.open(before.ciphertext, *PLACE) == ring.open(after.ciphertext, *PLACE) == b"token"
    assert ring.key_ids == ["newer", "old"]


def test_a_running_process_that_meets_an_unknown_key_looks_into_its_file_again(tmp_path):
    path = tmp_path / "keys"
    old, new = new_key_line("old"), new_key_line("newer")
    path.write_text(f"{old}\n")
    ring = FileKeyring(path)
    sealed = _in_memory(tmp_path, new, old).seal(b"token", *PLACE)
    with pytest.raises(KeyMissing) as missing:
        ring.open(sealed.ciphertext, *PLACE)

    path.write_text(f"{new}\n{old}\n")

    assert missing.value.key_id == "newer"
    assert ring.open(sealed.ciphertext, *PLACE) == b"token"


def test_a_key_taken_out_of_the_file_opens_until_the_process_ends(tmp_path):
    path = tmp_path / "keys"
    old, new = new_key_line("old"), new_key_line("newer")
    path.write_text(f"{old}\n")
    ring = FileKeyring(path)
    sealed = ring.seal(b"token", *PLACE)

    path.write_text(f"{new}\n")
    ring.seal(b"other", *PLACE)

    assert ring.open(sealed.ciphertext, *PLACE) == b"token"
    with pytest.raises(KeyMissing):
        FileKeyring(path).open(sealed.ciphertext, *PLACE)


def test_another_key_under_a_known_id_is_not_taken_up(tmp_path):
    path = tmp_path / "keys"
    path.write_text(f"{new_key_line('k1')}\n")
    ring = FileKeyring(path)
    before = ring.seal(b"token", *PLACE)

    path.write_text(f"{new_key_line('k1')}\n# another one\n")
    after = ring.seal(b"token", *PLACE)

    assert ring.open(before.ciphertext, *PLACE) == ring.open(after.ciphertext, *PLACE) == b"token"


def test_a_secret_fits_only_the_key_and_the_place_that_it_was_sealed_for(tmp_path):
    ring, other = _in_memory(tmp_path, new_key_line("k1")), Keyring({"k1": b"x" * 32})
    sealed = ring.seal(b"token", *PLACE).ciphertext

    assert ring.fits(sealed, *PLACE)
    assert not other.fits(sealed, *PLACE)
    assert not ring.fits(sealed, "elsewhere", *PLACE[1:])
    assert not ring.fits(b"", *PLACE)


@pytest.mark.parametrize("text", ["", "not a key\n", None], ids=["empty", "broken", "gone"])
def test_a_file_that_cannot_be_read_any_more_leaves_a_running_process_as_it_is(tmp_path, text):
    path = tmp_path / "keys"
    path.write_text(f"{new_key_line('old')}\n")
    ring = FileKeyring(path)

    path.unlink()
    if text is not None:
        path.write_text(text)

    assert ring.seal(b"token", *PLACE).key_id == "old"


def _in_memory(tmp_path: Path, *lines: str) -> Keyring:
    other = tmp_path / "other"
    other.mkdir()
    return keyring(other, *lines)
