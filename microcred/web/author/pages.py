"""The list of drafts, and beginning one: blank, from a published version, or from YAML."""

from typing import cast

import yaml
from flask import Blueprint, Response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.http import dump_options_header

from microcred.credentials.catalogue import to_yaml
from microcred.credentials.entries import Kind
from microcred.operations import authoring, reading_drafts
from microcred.operations.errors import OperationRefused
from microcred.web.base.surface import actor, page_url
from microcred.web.services import services

blueprint = Blueprint("author", __name__, url_prefix="/author")

_KINDS = ("micro_credential", "stack")
_SECTIONS: tuple[tuple[Kind, str], ...] = (("micro_credential", "micro_credentials"), ("stack", "stacks"))
"""Kind of an entry to the part of a catalogue file that holds such."""
_MOST_AT_ONCE = 50
SAID = {
    "begun": "A draft was begun. Nobody sees it but the authors and approvers of your organization.",
    "begun_several": "A draft was begun for each entry of the file.",
    "saved": "Saved.",
    "signed": "Signed off. It can be published now.",
    "published": "Published. Coordinators find it in the picker; courses keep the version they have.",
    "discarded": "The draft is put away.",
}


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """Drafts, published versions, and what to begin."""
    return _index()


@blueprint.post("/new")
def new() -> ResponseReturnValue:
    """Begin a draft from nothing or from YAML text or a YAML file."""
    used = services()
    kind = request.form.get("kind", "micro_credential")
    upload = request.files.get("file")
    text = request.form.get("text", "")
    if upload is not None and upload.filename:
        text = upload.stream.read(authoring.LONGEST + 1).decode("utf-8", "replace")
    issuer = request.form.get("issuer", "")
    try:
        if not text.strip():
            text = to_yaml({"version": "1.0", "status": "draft", "issuer": issuer})
        with used.database.writing() as session:
            made = [
                authoring.begin(session, actor(), issuer=issuer, kind=sort, text=entry, now=used.clock.now())
                for sort, entry in _entries(text, cast(Kind, kind))
            ]
    except OperationRefused as refused:
        if refused.status != 409:
            raise
        return _index(refused.message), 409
    if len(made) > 1:
        return redirect(page_url("author.index", ok="begun_several"), 303)
    return redirect(page_url("author.overview", public_id=made[0], ok="begun"), 303)


@blueprint.post("/versions/<public_id>")
def new_version(public_id: str) -> ResponseReturnValue:
    """Begin the version after a published one."""
    used = services()
    with used.database.writing() as session:
        made = authoring.begin_version(session, actor(), public_id=public_id, now=used.clock.now())
    return redirect(page_url("author.overview", public_id=made, ok="begun"), 303)


@blueprint.get("/<public_id>.yaml")
def export(public_id: str) -> ResponseReturnValue:
    """The draft's text as a file."""
    with services().database.reading() as session:
        draft = reading_drafts.open_draft(session, actor(), public_id)
    return _yaml_file(draft.text, f"credential-{public_id[:8]}")


@blueprint.get("/versions/<public_id>.yaml")
def export_version(public_id: str) -> ResponseReturnValue:
    """A published version as a file, to keep or to begin a draft from elsewhere."""
    with services().database.reading() as session:
        text, name = reading_drafts.version_text(session, actor(), public_id)
    return _yaml_file(text, name)


def _yaml_file(text: str, name: str) -> Response:
    answer = Response(text, mimetype="application/yaml")
    answer.headers["Content-Disposition"] = dump_options_header("attachment", {"filename": f"{name}.yaml"})
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


def _index(problem: str = "") -> str:
    with services().database.reading() as session:
        drafts, versions, issuers = reading_drafts.lists(session, actor())
    return render_template(
        "author/index.html",
        drafts=drafts,
        versions=versions,
        issuers=issuers,
        kinds=_KINDS,
        said=SAID.get(request.args.get("ok", ""), ""),
        problem=problem,
    )


def _entries(text: str, kind: Kind) -> list[tuple[Kind, str]]:
    """The entries of a whole catalogue file, where somebody brings such a file; else the text as it is.

    Raises OperationRefused (`too_many_entries`).
    """
    if not any(f"{section}:" in text for _, section in _SECTIONS):
        return [(kind, text)]
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError:
        return [(kind, text)]
    found = [
        (sort, to_yaml(entry))
        for sort, section in _SECTIONS
        for entry in (data.get(section) if isinstance(data, dict) else None) or ()
        if isinstance(entry, dict)
    ]
    if len(found) > _MOST_AT_ONCE:
        raise OperationRefused(
            "too_many_entries",
            f"This file has {len(found)} entries, and {_MOST_AT_ONCE} are taken at once. "
            "Take out some, or import the whole file with `microcred catalogue import`.",
        )
    return found or [(kind, text)]
