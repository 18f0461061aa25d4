"""An agreement before it is signed: what lints in it, whether it can be kept, what it would do.

Order: situations, clock_rules, term_rules, linting, turning_points, chain, preview.
"""
