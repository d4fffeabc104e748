"""What `./mojito test` counts: nothing may be left out but what this machine cannot do."""

from mojito.suites import EXCUSED, tally


def test_a_test_that_was_left_out_counts_as_failed():
    report = '<testsuite tests="9" failures="1" errors="0" skipped="2"><skipped message="today"/>'

    assert tally(report, 1) == (6, 3, 0)


def test_a_test_that_this_machine_cannot_do_is_excused():
    report = f'<testsuite tests="9" skipped="2">{2 * f'<skipped message="{EXCUSED}: no ip"/>'}'

    assert tally(report, 0) == (7, 0, 2)


def test_a_run_that_ended_badly_never_counts_as_good():
    assert tally("", 4) == (0, 1, 0)
    assert tally('<testsuite tests="9" failures="0">', 3) == (8, 1, 0)
