"""What the desk knows, for other programs: who is on call as iCalendar.

    ical.py   the final schedule as events (extra ical)

Order: ical.
"""

from itsm_core.exporters.ical import ical_schedule

__all__ = ["ical_schedule"]
