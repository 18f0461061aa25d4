"""The host: a Django product with tickets, people and a change table, as it was before.

It is one file, and nothing in it knows itsm_core but the page at the end, which asks
`buttons_and_clocks` what to show. Run it to see the page: python examples/django_desk/host.py
"""

# mypy: disable-error-code="no-untyped-call"
# ruff: noqa: DJ001, DJ008, E402
# Django brings no types of its own, and is configured before its models are imported.

import datetime as dt

import django
from django.conf import settings

settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    ROOT_URLCONF=__name__,
    SECRET_KEY="an example",
    ALLOWED_HOSTS=["testserver"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
    USE_TZ=True,
)
django.setup()

from buttons_and_clocks import buttons, clocks
from django.db import connection, models, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template import engines
from django.test import Client
from django.urls import path


class Person(models.Model):
    """Somebody who works here or asks for something."""

    name = models.CharField(max_length=50, unique=True)
    is_agent = models.BooleanField(default=False)

    class Meta:
        app_label = "shop"


class Ticket(models.Model):
    """A ticket with a status column in the host's own words."""

    title = models.CharField(max_length=200)
    status = models.CharField(max_length=30, default="Open")
    priority = models.CharField(max_length=2, default="P3")
    requester = models.ForeignKey(Person, models.PROTECT)
    opened_at = models.DateTimeField()

    class Meta:
        app_label = "shop"

    def change(self, by: Person, at: dt.datetime, **fields: str) -> None:
        """Sets fields and writes a row about each; a reply is a row and no field."""
        with transaction.atomic():
            for field, new in fields.items():
                old = getattr(self, field, None)
                Change(ticket=self, at=at, field=field, old=old, new=new, by=by).save()
                setattr(self, field, new)
            self.save()


class Change(models.Model):
    """What was changed, when and by whom."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="changes")
    at = models.DateTimeField()
    field = models.CharField(max_length=30)
    old = models.CharField(max_length=200, null=True)
    new = models.CharField(max_length=200, null=True)
    by = models.ForeignKey(Person, models.PROTECT)

    class Meta:
        app_label = "shop"


PAGE = engines["django"].from_string("""\
<h1>{{ ticket.title }}</h1>
<p>{{ ticket.status }}, {{ ticket.priority }}</p>
{% for button in buttons %}<button value="{{ button.trigger }}"{% if not button.enabled %} disabled \
title="{{ button.reasons|join:'; ' }}"{% endif %}>{{ button.label }}</button>
{% endfor %}{% for clock in clocks %}<p>{{ clock.explain }}</p>
{% endfor %}""")


def page(request: HttpRequest, number: int) -> HttpResponse:
    """The ticket as the person named in the query sees it, at the instant named there."""
    ticket = get_object_or_404(Ticket, pk=number)
    person = get_object_or_404(Person, name=request.GET["as"])
    at = dt.datetime.fromisoformat(request.GET["at"])
    shown = {"ticket": ticket, "buttons": buttons(ticket, person), "clocks": clocks(ticket, at)}
    return HttpResponse(PAGE.render(shown))


urlpatterns = [path("tickets/<int:number>/", page)]

with connection.schema_editor() as tables:
    for model in (Person, Ticket, Change):
        tables.create_model(model)


def main() -> None:
    """A ticket of a Friday, and its page on Monday."""
    ana, bob = Person(name="ana", is_agent=True), Person(name="bob")
    friday = dt.datetime(2026, 3, 6, 16, tzinfo=dt.UTC)
    ticket = Ticket(title="No network", requester=bob, opened_at=friday)
    for row in (ana, bob, ticket):
        row.save()
    ticket.change(ana, friday + dt.timedelta(minutes=20), status="In work")
    ticket.change(ana, friday + dt.timedelta(minutes=30), reply="We are looking at it.")
    query = {"as": "bob", "at": "2026-03-09T10:00:00+00:00"}
    print(Client().get(f"/tickets/{ticket.pk}/", query).content.decode())


if __name__ == "__main__":
    main()
