"""Why a clock says what it says: its time segment by segment, as words, as tables and as a picture.

Order: words, shares, tables, segments, breakdowns, picture, explanation.
"""
