"""The figures that the library promises, as assertions; `benchmarks/` prints them at length."""

REFERENCE = 6.4e-6
"""Seconds of one stock trigger on the machine of the first measurement (lifecycles.md, 1.2)."""


def test_3000_incidents_a_second_through_the_desk_in_memory(in_triggers):
    """Opened, assigned, resolved and closed: 3,000 incidents a second on the reference machine.

    Asserted as a ratio in one run, since machines differ: an incident costs at most as much as
    the 52 triggers of the stock `transitions` machine that fit into 1/3,000 s there.
    """
    bar = 1 / 3000 / REFERENCE
    ratio = in_triggers("desk")
    print(f"an incident is {ratio:.1f} stock triggers (bar {bar:.0f})")
    assert ratio <= bar


def test_100000_transitions_a_second_of_the_pure_function_with_a_constant_resolver(in_triggers):
    """Escalation: 100,000 a second on the reference machine.

    At most the 1.56 triggers of the stock `transitions` machine that fit into 10 µs there.
    """
    bar = 1e-5 / REFERENCE
    ratio = in_triggers("escalation")
    print(f"a transition of `advance` is {ratio:.2f} stock triggers (bar {bar:.2f})")
    assert ratio <= bar
