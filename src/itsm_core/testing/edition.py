"""The version of the contract suite."""

CONTRACT = "1.1"
"""A check that is new or stricter makes a new version: pin `itsm-core`, and read its changelog."""
