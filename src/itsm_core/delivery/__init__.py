"""From the outbox to the notifier: when a message is tried, what its outcome means, who is told instead.

A message is claimed, looked at, sent and settled one at a time, so a process that dies repeats at most
the one message it was sending, with the same key. What is out of date is not sent: neither from
`expires_at` on, nor once the escalation that it belongs to has begun anew.

Order: retries, settling, sending, relaying.
"""

from itsm_core.delivery.relaying import Relay, Relayed, relay
from itsm_core.delivery.retries import PAGES, RETRIES, STANDARD_WEBHOOKS, Retries, merged, retries_of
from itsm_core.delivery.sending import answered, by_channel, chosen, failed, send
from itsm_core.delivery.settling import LONGEST, delayed, forwarded, settle, withheld

__all__ = [
    "LONGEST",
    "PAGES",
    "RETRIES",
    "STANDARD_WEBHOOKS",
    "Relay",
    "Relayed",
    "Retries",
    "answered",
    "by_channel",
    "chosen",
    "delayed",
    "failed",
    "forwarded",
    "merged",
    "relay",
    "retries_of",
    "send",
    "settle",
    "withheld",
]
