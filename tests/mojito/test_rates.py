"""How the rate of a key is written on the command line."""

import pytest

from common.errors import Invalid
from mojito.keys import read_rate


@pytest.mark.parametrize(
    "text", ["5", "5/", "/5", "a/b", "-1/5", "5/0", "inf/5", "nan/5", "1/9999999999"]
)
def test_a_rate_that_is_none_is_refused(text: str):
    with pytest.raises(Invalid, match="write it like 5/20"):
        read_rate(text)


def test_a_rate_is_requests_a_second_and_at_once():
    assert read_rate("0.5/20") == (0.5, 20)
    assert read_rate("0/1") == (0, 1)
    assert read_rate(None) is None
