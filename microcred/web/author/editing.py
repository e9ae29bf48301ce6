"""Changing a draft: a form for each section, and the YAML editor."""

from collections.abc import Mapping
from typing import Any

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from microcred.credentials.quality import CHECKLIST
from microcred.operations import authoring, reading_drafts
from microcred.operations.authoring import StaleDraft
from microcred.operations.errors import OperationRefused
from microcred.operations.reading_drafts import Draft
from microcred.web.author.fields import SECTIONS, Form, change, field_name, members_of, model_of
from microcred.web.author.pages import SAID, blueprint
from microcred.web.base.surface import actor, page_url
from microcred.web.services import services


@blueprint.get("/<public_id>")
def overview(public_id: str) -> ResponseReturnValue:
    """Sections, what is wrong, warnings, checklist, sign-off, publishing."""
    return overview_page(public_id)


@blueprint.get("/<public_id>/section/<section>")
def section(public_id: str, section: str) -> ResponseReturnValue:
    """The form of a section."""
    draft = _draft(public_id)
    return _section_page(draft, section, draft.data or {}, draft.revision)


@blueprint.post("/<public_id>/section/<section>")
def save_section(public_id: str, section: str) -> ResponseReturnValue:
    """Save a section; buttons that add or take out an entry save as well."""
    draft, used = _draft(public_id), services()
    form, members = _form(draft), _members(draft, section)
    lists = {name: request.form.getlist(name) for name in request.form}
    given = form.read(model_of(draft.kind), members, request.form, lists)
    what = request.form.get("do", "")
    if what:
        change(given, what)
    try:
        with used.database.writing() as session:
            authoring.save_members(
                session, actor(), public_id, members=given, revision=_revision(), now=used.clock.now()
            )
    except StaleDraft as stale:
        return _section_page(draft, section, given, stale.revision, stale.message), 409
    except OperationRefused as refused:
        if refused.status != 409:
            raise
        return _section_page(draft, section, given, draft.revision, refused.message), 409
    if what:
        anchor = f"f-{what.partition(':')[2].replace('.', '-')}"
        return redirect(
            page_url("author.section", public_id=public_id, section=section, ok="saved", _anchor=anchor), 303
        )
    return redirect(page_url("author.section", public_id=public_id, section=section, ok="saved"), 303)


@blueprint.get("/<public_id>/yaml")
def yaml_editor(public_id: str) -> ResponseReturnValue:
    """The whole text."""
    draft = _draft(public_id)
    return _yaml_page(draft, draft.text, draft.revision)


@blueprint.post("/<public_id>/yaml")
def save_yaml(public_id: str) -> ResponseReturnValue:
    """Save the whole text, right or wrong."""
    used, text = services(), request.form.get("text", "")
    try:
        with used.database.writing() as session:
            authoring.save(session, actor(), public_id, text=text, revision=_revision(), now=used.clock.now())
    except StaleDraft as stale:
        return _yaml_page(_draft(public_id), text, stale.revision, stale.message), 409
    except OperationRefused as refused:
        if refused.status != 409:
            raise
        draft = _draft(public_id)
        return _yaml_page(draft, text, draft.revision, refused.message), 409
    return redirect(page_url("author.yaml_editor", public_id=public_id, ok="saved"), 303)


def overview_page(public_id: str, problem: str = "", problems: tuple[Any, ...] = ()) -> str:
    """The page of a draft; `problem` says why something was refused."""
    draft = _draft(public_id)
    return render_template(
        "author/draft.html",
        draft=draft,
        sections=[
            (key, name, sum(_belongs(one.place, members) for one in draft.problems))
            for key, name, members in SECTIONS[draft.kind]
        ],
        checklist=CHECKLIST,
        said=SAID.get(request.args.get("ok", ""), ""),
        problem=problem,
        problems=problems,
    )


def _draft(public_id: str) -> Draft:
    with services().database.reading() as session:
        return reading_drafts.open_draft(session, actor(), public_id)


def _revision() -> int:
    return request.form.get("revision", 0, type=int)


def _members(draft: Draft, section: str) -> tuple[str, ...]:
    try:
        return members_of(draft.kind, section)
    except KeyError as unknown:
        raise NotFound from unknown


def _form(draft: Draft) -> Form:
    scales = {scale.id: [level.key for level in scale.levels] for scale in draft.head.scales}
    problems: dict[str, list[str]] = {}
    for one in draft.problems:
        problems.setdefault(field_name(one.place), []).append(one.message)
    return Form(scales, problems)


def _section_page(
    draft: Draft, section: str, data: Mapping[str, Any], revision: int, problem: str = ""
) -> str:
    members = _members(draft, section)
    name = next(words for key, words, _ in SECTIONS[draft.kind] if key == section)
    return render_template(
        "author/section.html",
        draft=draft,
        section=section,
        name=name,
        fields=_form(draft).show(model_of(draft.kind), members, data),
        others=[one for one in draft.problems if _belongs(one.place, members)],
        revision=revision,
        problem=problem,
        said=SAID.get(request.args.get("ok", ""), ""),
    )


def _yaml_page(draft: Draft, text: str, revision: int, problem: str = "") -> str:
    return render_template(
        "author/yaml.html",
        draft=draft,
        text=text,
        revision=revision,
        problem=problem,
        said=SAID.get(request.args.get("ok", ""), ""),
    )


def _belongs(place: str, members: tuple[str, ...]) -> bool:
    return field_name(place).partition(".")[0] in members
