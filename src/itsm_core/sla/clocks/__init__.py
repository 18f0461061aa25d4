"""What a clock says at an instant: the verdict on one target, and when that would change.

Order: clock, evaluation, forecasting.
"""
