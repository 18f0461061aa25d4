"""What was counted: the time between two facts, cycle by cycle, and what an exception gives back.

Order: cycles, splitting, straight, adjusting.

`splitting` counts every history; `straight` gives the same of one that only ran, without its detours.
"""
