"""Histories of other systems as events: the lenient door.

Order: change_rows, book, changes, posts, times, table, maps, servicenow, rows, snapshots, log.

A command of ours must fit; a history from elsewhere has happened already. It is read as it is,
what does not fit is reported as a finding, and nothing is mended or left out silently.
"""

from itsm_core.importers.change_rows import Finding
from itsm_core.importers.changes import History, history_from_changes
from itsm_core.importers.log import FORMATS, TicketHistory, TicketLog, open_log
from itsm_core.importers.maps import Map, load_map
from itsm_core.importers.posts import STATUS_PAGE, history_from_posts
from itsm_core.importers.servicenow import SERVICENOW_AUDIT

__all__ = [
    "FORMATS",
    "SERVICENOW_AUDIT",
    "STATUS_PAGE",
    "Finding",
    "History",
    "Map",
    "TicketHistory",
    "TicketLog",
    "history_from_changes",
    "history_from_posts",
    "load_map",
    "open_log",
]
