"""What messages say, from templates in English and Chinese and from those of a host."""

import builtins
import datetime as dt
import email
import email.policy
import html.parser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core import (
    Actor,
    BusinessCalendar,
    EscalationPolicy,
    EscalationStep,
    InvalidValue,
    ServiceDesk,
    default_agreement,
)
from itsm_core.errors import UnknownZone
from itsm_core.notifiers import SmtpNotifier, Templates, Words
from itsm_core.notifiers.templates import KINDS, kind_of
from itsm_core.ports import Delivered, Message
from itsm_core.testing.contract.samples import HOSTILE

ENGLISH = Templates()
AT = dt.datetime(2024, 1, 1, 8, tzinfo=dt.UTC)


def about(subject="Mail is down", body="Due at noon.", **facts):
    """A message of these words and facts."""
    held = {"key": "k", "record": "INC-1", "to": "ana", "channel": "email", "created_at": AT}
    return Message(subject=subject, body=body, facts=facts, **held)


# --- the shipped texts, by hand ---------------------------------------------------------------

FACTS = {
    "url": "https://desk.example.org/INC-1?a=1&b=2", "step": "lead", "policy": "standard",
    "lateness_us": 11_100_000_000, "scheduled_at": AT, "due": AT, "promise_due": AT, "title": "Mail",
    "acknowledge_by": AT, "services": ["mail", "vpn"], "affected_count": 250, "started_at": AT,
    "workaround": "Use the phone.", "manager": "mia", "next_update": AT, "state": "restoring",
}  # fmt: skip
LINK = "https://desk.example.org/INC-1?a=1&b=2"
# fmt: off
SHIPPED = {
    ("en", "said"): ("Mail is down", f"Due at noon.\n\nOpen it: {LINK}\n"),
    ("zh", "said"): ("Mail is down", f"Due at noon.\n\n查看工单：{LINK}\n"),
    ("en", "informed"): (
        "Mail is down",
        ("Due at noon.\n\nThis comes 185 minutes late: it was meant for 2024-01-01 08:00 UTC.\n\n"
        f"Open it: {LINK}\n\nYou are told by step lead of the escalation policy standard.\n"),
    ),
    ("zh", "informed"): (
        "Mail is down",
        ("Due at noon.\n\n本通知迟到 185 分钟：原定 2024-01-01 08:00 UTC 发出。\n\n"
        f"查看工单：{LINK}\n\n您收到本通知，是因为升级策略 standard 的步骤 lead 已触发。\n"),
    ),
    ("en", "acknowledge"): (
        "Please acknowledge: Mail is down",
        ("Due at noon.\n\nPlease acknowledge INC-1 by 2024-01-01 08:00 UTC. After that the next in line is told.\n\n"
        f"Open it: {LINK}\n"),
    ),
    ("zh", "acknowledge"): (
        "请确认：Mail is down",
        ("Due at noon.\n\n请在 2024-01-01 08:00 UTC 之前确认 INC-1，逾期将通知下一位人员。\n\n"
        f"查看工单：{LINK}\n"),
    ),
    ("en", "breach"): (
        "INC-1: we are late, and we are sorry",
        ("We had promised you INC-1 (Mail) by 2024-01-01 08:00 UTC. We have not kept that, and we apologise.\n\n"
        "Due at noon.\n\nYou will hear from us again by 2024-01-01 08:00 UTC.\n\n"
        f"Follow it here: {LINK}\n"),
    ),
    ("zh", "breach"): (
        "INC-1：未能按时完成，深表歉意",
        ("我们曾承诺在 2024-01-01 08:00 UTC 之前处理 INC-1（Mail），但未能做到，谨此致歉。\n\n"
        "Due at noon.\n\n我们将在 2024-01-01 08:00 UTC 之前再次与您联系。\n\n"
        f"查看进度：{LINK}\n"),
    ),
    ("en", "major_incident"): (
        "Major incident INC-1 (restoring): Mail",
        ("Due at noon.\n\nServices affected: mail, vpn\nPeople affected: 250\nSince: 2024-01-01 08:00 UTC\n"
        "What you can do meanwhile: Use the phone.\nResponsible manager: mia\n\n"
        f"Next announcement: by 2024-01-01 08:00 UTC\n\nStatus: {LINK}\n"),
    ),
    ("zh", "major_incident"): (
        "重大事件 INC-1（restoring）：Mail",
        ("Due at noon.\n\n受影响的服务：mail, vpn\n受影响人数：250\n开始时间：2024-01-01 08:00 UTC\n"
        "临时措施：Use the phone.\n负责经理：mia\n\n"
        f"下次通告：2024-01-01 08:00 UTC 之前\n\n状态页：{LINK}\n"),
    ),
}
BARE = {
    ("en", "said"): "Due at noon.\n",
    ("zh", "said"): "Due at noon.\n",
    ("en", "informed"): "Due at noon.\n\nYou are told by step ? of the escalation policy.\n",
    ("zh", "informed"): "Due at noon.\n\n您收到本通知，是因为升级策略的步骤 ? 已触发。\n",
    ("en", "acknowledge"):
        "Due at noon.\n\nPlease acknowledge INC-1. Until somebody does, the next in line will be told.\n",
    ("zh", "acknowledge"): "Due at noon.\n\n请确认 INC-1。在有人确认之前，将继续通知下一位人员。\n",
    ("en", "breach"):
        "We have not kept the time we had promised you for INC-1, and we apologise.\n\nDue at noon.\n\n"
        "We go on working on it and will tell you when it is done.\n",
    ("zh", "breach"):
        "我们未能在承诺的时间内处理 INC-1，谨此致歉。\n\nDue at noon.\n\n我们会继续处理，完成后立即通知您。\n",
    ("en", "major_incident"): "Due at noon.\n\nWe will announce what changes.\n",
    ("zh", "major_incident"): "Due at noon.\n\n如有变化，我们将另行通告。\n",
}
# fmt: on


@pytest.mark.parametrize(("lang", "kind"), SHIPPED)
def test_each_shipped_text_says_its_facts(lang, kind):
    """Escalation, acknowledgement, apology and announcement, in English and Chinese."""
    words = Templates(language=lang)(about(template=kind, **FACTS))
    assert (words.subject, words.text) == SHIPPED[lang, kind]


@pytest.mark.parametrize(("lang", "kind"), BARE)
def test_each_shipped_text_does_without_facts(lang, kind):
    """What is not known is not said: no gaps, no empty labels, no "None"."""
    assert Templates(language=lang)(about(template=kind)).text == BARE[lang, kind]


def test_every_kind_is_shipped_in_both_languages():
    """The tables above leave none out."""
    assert set(SHIPPED) == set(BARE) == {(lang, kind) for lang in ("en", "zh") for kind in KINDS}


def test_the_last_announcement_of_a_major_incident_says_so():
    """With an end there is no next one, whatever was planned."""
    words = ENGLISH(about(template="major_incident", ended_at=AT, next_update=AT))
    assert "Ended: 2024-01-01 08:00 UTC" in words.text
    assert "This is the last announcement; a review follows." in words.text
    assert "Next" not in words.text
    ended = Templates(language="zh")(about(template="major_incident", ended_at=AT)).text
    assert "这是最后一次通告；随后将进行回顾。" in ended


def test_a_minute_is_one():
    """And less than a minute is not late."""
    assert "1 minute late" in ENGLISH(about(step="lead", lateness_us=119_000_000)).text
    assert "late" not in ENGLISH(about(step="lead", lateness_us=59_000_000)).text


def test_late_is_late_for_whom_it_reaches():
    """The step fired three minutes late, and the message waited two more in the outbox."""
    words = ENGLISH(about(step="lead", lateness_us=180_000_000, delay_us=120_000_000, scheduled_at=AT))
    assert "This comes 5 minutes late" in words.text
    assert "late" not in ENGLISH(about(step="lead", lateness_us="3 hours")).text


# --- which text, in which language ------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        ({}, "said"),
        ({"step": "lead"}, "informed"),
        ({"step": "lead", "acknowledge_by": AT}, "acknowledge"),
        ({"step": "lead", "template": "breach"}, "breach"),
        ({"template": ""}, "said"),
    ],
)
def test_the_facts_suggest_the_template(facts, kind):
    """A step of an escalation informs; a fact `template` says it outright."""
    assert kind_of(about(**facts)) == kind


def test_a_message_of_a_person_is_said_as_it_is():
    """What an agent wrote is not dressed up."""
    words = ENGLISH(about(body="We are on it.\n\nAna"))
    assert (words.subject, words.text) == ("Mail is down", "We are on it.\n\nAna\n")


@pytest.mark.parametrize(
    ("language", "facts", "subject"),
    [
        ("zh", {}, "请确认"),
        ("zh-CN", {}, "请确认"),
        ("en", {"lang": "zh-Hans"}, "请确认"),
        ("de", {}, "Please acknowledge"),
        (lambda m: {"ana": "zh"}[m.to], {}, "请确认"),
    ],
)
def test_each_is_told_in_their_language(language, facts, subject):
    """One for all, by a function, or by the fact `lang`; without its region, or else in English."""
    templates = Templates(language=language, kind=lambda _: "acknowledge")
    assert templates(about(**facts)).subject.startswith(subject)


def test_an_unknown_kind_is_said_plainly():
    """Also one that tries to leave the folder."""
    for kind in ("nonesuch", "../../etc/passwd", "layout.html"):
        assert ENGLISH(about(template=kind)).text == "Due at noon.\n"


def test_instants_are_told_in_the_zone_of_the_readers():
    """That of all, or the fact `zone` if there is such a zone. Aware instants of facts, also as stored text; anything else stays as it is."""
    there = Templates(zone="Europe/Berlin", kind=lambda _: "breach")
    assert "by 2024-01-01 09:00 CET." in there(about(due="2024-01-01T08:00:00.000000Z")).text
    assert "by 2024-01-01 16:00 CST." in there(about(due=AT, zone="Asia/Shanghai")).text
    assert "by 2024-01-01 09:00 CET." in there(about(due=AT, zone="Mars/Base")).text
    assert "by 2024-01-01 09:00 CET." in there(about(due=AT, zone=8)).text
    assert "by tomorrow." in there(about(due="tomorrow")).text
    late = {"x.en.txt": "Subject: s\n{{ d | instant }}"}
    assert Templates(late, kind=lambda _: "x")(about(d="9999-12-31T23:59:59-12:00")).text.startswith("9999")
    with pytest.raises(UnknownZone):
        Templates(zone="Mars/Base")


# --- templates of the host --------------------------------------------------------------------


def test_a_host_replaces_one_text_and_keeps_the_others():
    """By file name; HTML is made of the new text."""
    mine = {"breach.en.txt": "Subject: Sorry about {{ number }}\r\n\r\nDear {{ name }},\r\n{{ body }}"}
    templates = Templates(mine)
    words = templates(about(template="breach", name="Ana", number="INC0001"))
    assert (words.subject, words.text) == ("Sorry about INC0001", "Dear Ana,\nDue at noon.\n")
    assert "Dear Ana,<br>" in words.html
    assert templates(about(template="acknowledge")).subject.startswith("Please")


def test_a_host_adds_kinds_languages_and_html_from_a_folder(tmp_path):
    """Files of a folder, in UTF-8; what is no template is left alone."""
    (tmp_path / "welcome.de.txt").write_text("Subject: Grüß Gott\n\n{{ body }}", encoding="utf-8")
    (tmp_path / "welcome.de.html").write_text("<h1>{{ subject }}</h1>{{ paragraphs }}", encoding="utf-8")
    (tmp_path / "layout.html").write_text("<p>ours: {{ subject }}</p>", encoding="utf-8")
    (tmp_path / "readme.md").write_text("x")
    templates = Templates(tmp_path, language="de")
    words = templates(about(template="welcome", body="<b>"))
    assert words.subject == "Grüß Gott"
    assert words.html == "<h1>Grüß Gott</h1>[[&#39;&lt;b&gt;&#39;]]"
    assert templates(about()).html == "<p>ours: Mail is down</p>"


def test_a_file_in_another_encoding_is_refused_by_its_name_and_a_mark_before_utf_8_is_none_of_its_words(
    tmp_path,
):
    """As editors on Windows and in China save them."""
    path = tmp_path / "breach.zh.txt"
    path.write_bytes("Subject: 违约\n超时".encode("gbk"))
    with pytest.raises(InvalidValue, match=r"breach\.zh\.txt': is no UTF-8; save it in UTF-8"):
        Templates(tmp_path)
    path.write_bytes("Subject: 违约\n超时".encode("utf-8-sig"))
    assert Templates(tmp_path)(about(template="breach", lang="zh")).subject == "违约"


@pytest.mark.parametrize(
    ("texts", "reason"),
    [
        ({"breach.txt": "Subject: x\n"}, "is no name of one; name templates such as"),
        ({"../breach.en.txt": "Subject: x\n"}, "is no name of one"),
        ({"breach.en.txt": "Sorry"}, 'has no subject; begin it with a line "Subject: ..."'),
        ({"breach.en.txt": "Subject: \nSorry"}, "has no subject"),
        ({"breach.en.txt": "Subject: x\n\n{% if %}"}, "breach.en.txt.*line 2: Expected"),
        ({"breach.en.html": "{{ a b }}"}, "breach.en.html.*line 1: expected token"),
        ("/nonexistent/folder", "is no folder"),
        (5, "templates '5': is no folder; give a folder, or a mapping of texts"),
        ({5: "Subject: x\n"}, "template 5: is no text; name templates such as"),
        ({"breach.en.txt": b"Subject: x\n"}, "breach.en.txt .*: is no text; give texts by file name"),
    ],
)
def test_a_template_that_cannot_work_is_refused_at_once(texts, reason):
    """When it is given, not when the first message goes out."""
    with pytest.raises(InvalidValue, match=reason):
        Templates(texts)


@pytest.mark.parametrize(
    "wrong", ["{{ 1 / 0 }}", "{{ body.nonesuch() }}", "{{ facts.x.y }}", "{{ body | instant(1) }}"]
)
def test_a_template_that_fails_leaves_the_plain_words(wrong):
    """A page that looks plain is better than none."""
    templates = Templates({"said.en.txt": f"Subject: x\n{wrong}"})
    assert templates(about()) == Words("Mail is down", "Due at noon.")


@pytest.mark.parametrize(
    ("given", "kind", "where"),
    [
        (
            {"texts": {"said.en.txt": "Subject: x\nfirst\n{{ number / body }}"}},
            "TypeError",
            "said.en.txt, line 2",
        ),
        (
            {"texts": {"said.en.txt": "Subject: x\n{{ body }}\n{{ body.no.no }}\n"}},
            "UndefinedError",
            "said.en.txt, line 2",
        ),
        ({"kind": lambda message: message.facts["kind"]}, "KeyError", "test_templates.py, line"),
        ({"language": lambda message: message.lang}, "AttributeError", "test_templates.py, line"),
    ],
    ids=["a template", "deep in jinja2", "kind", "language"],
)
def test_what_failed_is_told_where_it_is_seen(given, kind, where, caplog):
    """In the log by default, with its place and without a word of the ticket: nobody sees it in a mail."""
    assert Templates(**given)(about()) == Words("Mail is down", "Due at noon.")
    (logged,) = caplog.records
    assert (logged.name, logged.levelname) == ("itsm_core.templates", "ERROR")
    assert logged.getMessage().startswith(f"message {about().key} goes out in plain words: {kind} in ")
    assert where in logged.getMessage()
    assert "noon" not in logged.getMessage()


def test_a_host_may_be_told_itself(caplog):
    """It gets the message and the error, whatever that says."""
    told = []
    templates = Templates(kind=lambda _: 1 // 0, failed=lambda *what: told.append(what))
    assert templates(about()).subject == "Mail is down"
    ((message, error),) = told
    assert (message, type(error)) == (about(), ZeroDivisionError)
    assert not caplog.records


@pytest.mark.parametrize(
    "wrong", ["{{ body.__class__.__mro__ }}", "{{ ''.format.__globals__ }}", "{{ services.append(1) }}"]
)
def test_templates_run_in_a_sandbox(wrong):
    """A template from a file that somebody else may write reaches neither Python nor the message."""
    templates = Templates({"said.en.txt": f"Subject: x\n[{wrong}]"})
    text = templates(about(services=["a"])).text
    assert text in ("Due at noon.", "[]\n")


# --- hostile words ----------------------------------------------------------------------------

ANY = st.text(st.characters(codec=None), max_size=60) | st.sampled_from(HOSTILE)


class Tags(html.parser.HTMLParser):
    """The tags, links and scripts that a browser would see."""

    def __init__(self, text):
        super().__init__()
        self.seen = set()
        self.links = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.seen.add(tag)
        self.links += [value for name, value in attributes if name == "href"]


@given(ANY, ANY, ANY, st.sampled_from(KINDS), st.sampled_from(["en", "zh"]))
def test_no_words_of_a_ticket_begin_a_header_or_a_tag(subject, body, title, kind, lang):
    """Whatever a requester writes: one line of subject, the tags of our layout, no control character."""
    sent = Message(
        key="k", record="INC-1", to="ana", channel="email", subject=subject, body=body, created_at=AT,
        facts={"template": kind, "title": title.encode("utf-8", "replace").decode(), "due": AT},
    )  # fmt: skip
    words = Templates(language=lang)(sent) if lang == "zh" else ENGLISH(sent)
    assert len(words.subject.splitlines()) <= 1
    assert all(c.isprintable() or c in "\n\t\u200c\u200d\u200e\u200f" for c in words.text + words.html)
    assert Tags(words.html).seen <= {"html", "head", "meta", "title", "body", "p", "br"}


def test_html_of_a_ticket_is_shown_and_not_obeyed():
    """A script in a title is text."""
    words = ENGLISH(about(subject="<script>alert(1)</script>", body="<img src=x onerror=alert(1)> & \"'"))
    assert "<title>&lt;script&gt;alert(1)&lt;/script&gt;</title>" in words.html
    assert "<p>&lt;img src=x onerror=alert(1)&gt; &amp; &#34;&#39;</p>" in words.html


def test_a_ticket_is_never_a_template():
    """Braces in what a requester wrote are braces."""
    words = ENGLISH(about(subject="{{ 7 * 7 }}", body="{% raw %}{{ self }}"))
    assert (words.subject, words.text) == ("{{ 7 * 7 }}", "{% raw %}{{ self }}\n")


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//evil.example", 7, "HTTPS://x"])
def test_only_web_addresses_become_links(url):
    """A link that runs a script is none."""
    assert Tags(ENGLISH(about(url=url)).html).links == []


def test_a_web_address_becomes_one_link():
    """Where the text names it, quotes and all."""
    url = "https://desk.example.org/?a=1&b=\"'><script>"
    words = ENGLISH(about(url=url))
    assert Tags(words.html).links == [url]
    assert "script" not in Tags(words.html).seen


def test_facts_do_not_replace_what_the_message_is():
    """A fact named `body` or `record` is not the body; `number` may be one."""
    assert ENGLISH(about(number="INC0001", template="breach")).subject.startswith("INC0001")
    sent = Message(
        key="k", record="INC-1", to="ana", channel="email", subject="real", body="real", created_at=AT,
        facts={"body": "fake", "subject": "fake"},
    )  # fmt: skip
    assert (ENGLISH(sent).subject, ENGLISH(sent).text) == ("real", "real\n")


# --- together ---------------------------------------------------------------------------------


def test_a_mail_of_a_template_arrives(mail_server):
    """Text and HTML in one mail, in Chinese."""
    port, postbox = mail_server()
    send = SmtpNotifier(
        "127.0.0.1", "desk@example.org", security="none", port=port,
        address={"ana": "ana@example.org"}, wording=Templates(language="zh"),
    )  # fmt: skip
    assert isinstance(send(about(template="breach", due=AT)), Delivered)
    mail = email.message_from_bytes(postbox.mails[0][2], policy=email.policy.default)
    assert mail["Subject"] == "INC-1：未能按时完成，深表歉意"
    text, shown = mail.iter_parts()
    assert "谨此致歉" in text.get_content()
    assert '<html lang="zh">' in shown.get_content()


def test_an_escalation_is_mailed_in_the_words_of_its_template(mail_server, store):
    """From the step that fires to the mail that arrives; a second tick sends none."""
    port, postbox = mail_server()
    by_mail = SmtpNotifier(
        "127.0.0.1", "desk@example.org", security="none", port=port,
        address=lambda m: f"{m.to}@example.org", wording=Templates(zone="Europe/Berlin"),
    )  # fmt: skip
    desk = ServiceDesk(
        store,
        agreement=default_agreement(BusinessCalendar.always("UTC")),
        policy=EscalationPolicy(
            "line", 1, steps=[EscalationStep("half", "50 %", metric="response", to="grace")]
        ),
        notifiers=by_mail,
    )
    urgent = {"impact": "high", "urgency": "high"}  # P1: answered within 15 minutes
    desk.open(
        "Mail\r\nBcc: eve@example.org", actor=Actor.person("bob"), at=AT, fields=urgent, record_id="INC-1"
    )
    assert desk.tick(AT + dt.timedelta(minutes=7.5)).delivered == 1
    assert desk.tick(AT + dt.timedelta(hours=1)).delivered == 0
    (received,) = postbox.mails
    mail = email.message_from_bytes(received[2], policy=email.policy.default)
    assert received[1] == ["grace@example.org"]
    assert mail["Bcc"] is None
    assert mail["Subject"] == "INC-1 P1: 50 % of the time for the first answer is used up"
    text, _ = mail.iter_parts()
    assert "You are told by step half of the escalation policy" in text.get_content()


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    """The message names the extra."""
    really = builtins.__import__

    def without(name, *rest, **more):
        if name.startswith("jinja2"):
            raise ImportError(name)
        return really(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install 'itsm-core\[templates\]'"):
        Templates()
