"""What `./mojito test` counts: nothing may be left out but what this machine cannot do."""

from mojito import suites
from mojito.suites import EXCUSED, clean, free_ports, pytest_runs, tally
from tests.free_ports import free_port


def test_a_test_that_was_left_out_counts_as_failed():
    report = '<testsuite tests="9" failures="1" errors="0" skipped="2"><skipped message="today"/>'

    assert tally(report, 1) == (6, 3, 0)


def test_a_test_that_this_machine_cannot_do_is_excused():
    report = f'<testsuite tests="9" skipped="2">{2 * f'<skipped message="{EXCUSED}: no ip"/>'}'

    assert tally(report, 0) == (7, 0, 2)


def test_a_run_that_ended_badly_never_counts_as_good():
    assert tally("", 4) == (0, 1, 0)
    assert tally('<testsuite tests="9" failures="0">', 3) == (8, 1, 0)


def test_every_test_is_in_one_of_the_two_runs_and_options_are_for_a_single_one():
    together, alone = pytest_runs([], 8)

    assert together[:2] == ["-n", "4"]
    assert together[-2:] == ["-m", "not alone"]
    assert alone == ["-m", "alone"]
    assert pytest_runs(["-x", "tests/docs"], 8) == [["-x", "tests/docs"]]


def test_our_settings_do_not_leak_into_what_is_tested():
    told = {"MOJITO_PORT": "1", "PATH": "/bin"}

    assert clean(told, "/compiled") == {"PATH": "/bin"}


def test_bytecode_that_is_not_to_be_written_is_written_elsewhere():
    assert clean({"PYTHONDONTWRITEBYTECODE": "1"}, "/compiled") == {
        "PYTHONPYCACHEPREFIX": "/compiled"
    }
    assert clean({"PYTHONDONTWRITEBYTECODE": ""}, "/compiled") == {}


def test_two_programs_never_get_one_port_nor_one_that_a_caller_may_be_given(monkeypatch):
    one, other = free_port(), free_port()
    drawn = iter([one, one, other])
    monkeypatch.setattr(suites.secrets, "randbelow", lambda _: next(drawn) - suites.FIRST_PORT)

    ports = free_ports(2)

    assert sorted(ports) == sorted([one, other])
    assert suites.LAST_PORT <= 32_768  # where Linux begins to number whoever connects
