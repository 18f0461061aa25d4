"""The clocks of many records at once: what comes next, how much was met, and under which terms.

Order: batch, agendas, volumes, attainment_rows, attainment, comparison.
"""
