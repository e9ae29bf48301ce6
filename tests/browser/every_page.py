"""Every address that answers GET: who opens it and how, or why there is no page behind it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Shown:
    """A page as somebody sees it."""

    name: str
    who: str
    """Whom of the town: somebody in a launch or at the desk, `""` for a stranger."""
    path: str = ""
    """Below `/app/<L>/`, `/desk/` or `/`; names in braces are the town's places."""
    status: int = 200
    needs_script: str = ""
    """Why it is no use without script; empty where everything works as a plain form."""


_DATA = "data for a program, no page"
_FILE = "a file"
_PIECE = "a part of a page, fetched by its script; the page itself is looked at"
_BLUR = "a picture is changed in the browser; the page says so"

PAGES: Mapping[str, tuple[Shown, ...]] = {
    # what a teacher sees
    "teacher.home": (
        Shown("home-fresh", "fresh"),
        Shown("home-writing", "writing"),
        Shown("home-ready", "ready"),
        Shown("home-waiting", "waiting"),
        Shown("home-reading", "reading"),
        Shown("home-revisions", "revisions"),
        Shown("home-earned", "earned"),
        Shown("home-not-awarded", "denied"),
        Shown("home-appeal", "appealing"),
    ),
    "teacher.preview": (Shown("preview", "coordinator", "preview"),),
    "teacher.part": (
        Shown("part-writing", "writing", "parts/p1"),
        Shown("part-evidence-empty", "fresh", "parts/p2"),
        Shown("part-evidence", "writing", "parts/p2"),
        Shown("part-evidence-full", "ready", "parts/p2"),
        Shown("part-students", "writing", "parts/p3"),
        Shown("part-reflection", "writing", "parts/p4"),
        Shown("part-with-feedback", "revisions", "parts/p1"),
        Shown("part-passed", "revisions", "parts/p2"),
        Shown("part-submitted", "waiting", "parts/p1"),
    ),
    "teacher.check": (Shown("submit", "ready", "submit"), Shown("submit-missing", "writing", "submit")),
    "teacher.feedback": (
        Shown("feedback-revisions", "revisions", "feedback"),
        Shown("feedback-earned", "earned", "feedback"),
        Shown("feedback-not-awarded", "denied", "feedback"),
    ),
    "teacher.badge": (Shown("badge-holder", "earned", "badge"),),
    "teacher.record": (Shown("record", "earned", "record"), Shown("record-empty", "fresh", "record")),
    "teacher.ledger": (
        Shown("permissions", "ready", "permissions"),
        Shown("permissions-empty", "fresh", "permissions"),
    ),
    "teacher.blur": (Shown("blur", "writing", "evidence/{own_piece}/blur", needs_script=_BLUR),),
    # what everybody with a session sees
    "notices.page": (Shown("notices", "earned", "notices"), Shown("notices-empty", "fresh", "notices")),
    "privacy.page": (
        Shown("privacy", "writing", "privacy"),
        Shown("privacy-asked", "earned", "privacy"),
        Shown("privacy-from-lms", "privacy", "privacy"),
    ),
    "linking.page": (Shown("accounts", "writing", "accounts"),),
    "common.help_page": (Shown("help", "writing", "help"), Shown("help-desk", "reviewer", "help")),
    # the people of a course
    "choosing.choose": (
        Shown("picker", "picker", "choose"),
        Shown("picker-stacks", "picker", "choose?kind=stack"),
        Shown("picker-nothing", "picker", "choose?q=no+such+words"),
    ),
    "course.course": (Shown("course", "coordinator", "course"),),
    "course.learner": (Shown("learner", "gradebook", "learner"),),
    "roles.roles": (Shown("roles", "coordinator", "course/roles"),),
    "settings.settings": (Shown("settings", "coordinator", "course/settings"),),
    # reviewers
    "review.queue": (
        Shown("queue", "reviewer", "review/"),
        Shown("queue-practise-first", "trainee", "review/"),
    ),
    "review.desk": (
        Shown("review-start", "second reviewer", "review/{waiting}"),
        Shown("review-desk", "reviewer", "review/{reading}?part=p1"),
        Shown("review-desk-evidence", "reviewer", "review/{reading}?part=p2"),
        Shown("review-done", "reviewer", "review/{recommended}"),
    ),
    "review.check": (Shown("review-check", "reviewer", "review/{checking}/check"),),
    "review.piece": (Shown("review-piece", "reviewer", "review/{reading}/evidence/{piece}"),),
    "review.hidden": (Shown("review-hidden", "reviewer", "review/hidden"),),
    "review.practice": (
        Shown("practice", "trainee", "review/practice"),
        Shown("practice-ready", "second reviewer", "review/practice"),
    ),
    "review.practice_sheet": (Shown("practice-sheet", "trainee", "review/practice/rounds/{trainee}"),),
    "review.practice_result": (
        Shown("practice-result", "second reviewer", "review/practice/rounds/{second_reviewer}/result"),
    ),
    # approvers
    "approve.queue": (Shown("decisions", "approver", "approve/"),),
    "approve.case": (
        Shown("case", "approver", "approve/{recommended}"),
        Shown("case-awarded", "approver", "approve/{earned}"),
    ),
    "approve.requests": (Shown("requests", "approver", "approve/requests"),),
    "approve.award_list": (Shown("awards", "approver", "approve/awards"),),
    "approve.appeals": (
        Shown("appeals", "second approver", "approve/appeals"),
        Shown("appeals-none", "approver", "approve/appeals"),
    ),
    "approve.appeal": (Shown("appeal", "second approver", "approve/appeals/{appealing}"),),
    "approve.quality": (Shown("quality", "approver", "approve/quality"),),
    "approve.pools": (Shown("pools", "approver", "approve/pools"),),
    # authors
    "author.index": (Shown("writing", "author", "author/"),),
    "author.overview": (Shown("draft", "author", "author/{draft}"),),
    "author.section": tuple(
        Shown(f"draft-{section}", "author", f"author/{{draft}}/section/{section}")
        for section in ("about", "finding", "method", "effort", "parts", "rule", "review", "badge")
    ),
    "author.yaml_editor": (Shown("draft-yaml", "author", "author/{draft}/yaml"),),
    "author.preview": (Shown("draft-preview", "author", "author/{draft}/preview"),),
    # operators
    "home.index": (
        Shown("desk", "operator"),
        Shown("desk-reviewer", "reviewer"),
        Shown("desk-all-offices", "everything"),
        Shown("desk-empty", "nobody"),
    ),
    "platforms.index": (Shown("platforms", "operator", "platforms"),),
    "platforms.show": (Shown("platform", "operator", "platforms/{platform}"),),
    "setting_up.start": (Shown("set-up", "operator", "platforms/set-up"),),
    "setting_up.one": tuple(
        Shown(f"set-up-{lms}", "operator", f"platforms/set-up/{lms}")
        for lms in ("canvas", "moodle", "schoology")
    ),
    "rules.index": (Shown("organizations", "operator", "rules"),),
    "rules.show": (Shown("rules", "approver", "rules/{issuer}"),),
    "outbox.index": (
        Shown("deliveries", "operator", "outbox"),
        Shown("deliveries-waiting", "operator", "outbox?state=waiting"),
    ),
    "people.index": (
        Shown("people", "operator", "people"),
        Shown("people-none", "operator", "people?q=nobody"),
    ),
    "people.requests": (Shown("erase-requests", "operator", "people/requests"),),
    "people.show": (Shown("person", "operator", "people/{person}"),),
    # without a session
    "verify.badge": (
        Shown("verify", "", "badges/{badge}"),
        Shown("verify-unknown", "", "badges/nothing", 404),
    ),
    "door.enter_page": (
        Shown("enter", "", "desk/enter?t={invited}"),
        Shown("enter-refused", "", "desk/enter?t=nothing", 403),
    ),
    "handover.take": (Shown("handover-used", "", "app/{no_such_launch}/open?h=nothing", 403),),
    "backpack.open_window": (Shown("backpack-ended", "", "backpacks/open?t=nothing", 403),),
    "backpack.terms": (Shown("backpack-terms", "", "backpacks/terms"),),
    "backpack.privacy": (Shown("backpack-privacy", "", "backpacks/privacy"),),
    "address.look": (
        Shown("address", "", "address?t={mailed}"),
        Shown("address-refused", "", "address?t=nothing", 403),
    ),
    "mail_choice.look": (Shown("mail-choice", "", "mail/choice?t={mail}"),),
    "lti.login": (Shown("refused-login", "", "lti/login", 400),),
    "lti.register": (Shown("refused-registration", "", "lti/register", 400),),
}

NO_PAGE: Mapping[str, str] = {
    "assets.serve": _FILE,
    "lti.static": _FILE,
    "healthz": _DATA,
    "readyz": _DATA,
    "common.form_token": _DATA,
    "relaunch.again": _DATA,
    "teacher.record_paper": _FILE,
    "teacher.record_file": _FILE,
    "teacher.certificate": _FILE,
    "teacher.open_form": _FILE,
    "teacher.open_item": _FILE,
    "teacher.names": _PIECE,
    "course.progress": _PIECE,
    "course.export": _FILE,
    "choosing.preview": _PIECE,
    "review.piece_file": _FILE,
    "review.piece_captions": _FILE,
    "author.export": _FILE,
    "author.export_version": _FILE,
    "backpack.answer": "where a host sends the browser back to; tests/browser/test_backpack_story.py",
    "backpack.logo": _FILE,
    "memory.tab": "a shell that its opener fills with pages; tests/browser/test_without_cookies.py",
    "wallets.issuer_metadata": _DATA,
    "wallets.server_metadata": _DATA,
    "wallets.offer": _DATA,
    "wallets.interaction": _DATA,
    "lti.own_login": "as lti.login",
    "lti.check": "goes on at once; what it can say is in tests/functional/lti/browser",
    "lti.launch": "POST only; GET is refused as lti.login refuses",
    "lti.deep_link": "as lti.launch",
    "lti.jwks": _DATA,
    "lti.canvas_config": _DATA,
}
NO_PAGE_BELOW: Mapping[str, str] = {"documents.": "documents and files of badges"}
"""The same for all endpoints that begin so."""

LED_TO: Mapping[str, str] = {
    "review.check": "its button",
    "review.hidden": "its button",
    "review.practice_sheet": "its button",
    "course.learner": "the gradebook of the LMS",
    "door.enter_page": "a link that somebody sent",
    "handover.take": "a button, which makes the address",
    "backpack.open_window": "a button, which makes the address",
    "backpack.terms": "the backpack's host",
    "backpack.privacy": "the backpack's host",
    "address.look": "a mail",
    "mail_choice.look": "a mail",
    "lti.login": "the LMS",
    "lti.register": "the LMS",
}
"""Pages that no link of ours leads to, and what does."""
