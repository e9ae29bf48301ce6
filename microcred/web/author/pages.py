"""The list of drafts, and beginning one: blank, from a published version, or from YAML."""

from typing import cast

import yaml
from flask import Blueprint, Response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from microcred.credentials.catalogue import to_yaml
from microcred.credentials.entries import Kind
from microcred.operations import authoring
from microcred.operations.errors import OperationRefused
from microcred.web.base.surface import actor, page_url
from microcred.web.services import services

blueprint = Blueprint("author", __name__, url_prefix="/author")

_KINDS = ("micro_credential", "stack")
SAID = {
    "begun": "A draft was begun. Nobody sees it but the authors and approvers of your organization.",
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
            public_id = authoring.begin(
                session,
                actor(),
                issuer=issuer,
                kind=cast(Kind, kind),
                text=_one_entry(text, kind),
                now=used.clock.now(),
            )
    except OperationRefused as refused:
        if refused.status != 409:
            raise
        return _index(refused.message), 409
    return redirect(page_url("author.overview", public_id=public_id, ok="begun"), 303)


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
        draft = authoring.open_draft(session, actor(), public_id)
    answer = Response(draft.text, mimetype="application/yaml")
    answer.headers["Content-Disposition"] = f'attachment; filename="credential-{public_id[:8]}.yaml"'
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


def _index(problem: str = "") -> str:
    with services().database.reading() as session:
        drafts, versions, issuers = authoring.lists(session, actor())
    return render_template(
        "author/index.html",
        drafts=drafts,
        versions=versions,
        issuers=issuers,
        kinds=_KINDS,
        said=SAID.get(request.args.get("ok", ""), ""),
        problem=problem,
    )


def _one_entry(text: str, kind: str) -> str:
    """The one entry of a whole catalogue file, where somebody brings such a file; else the text as it is."""
    section = "stacks" if kind == "stack" else "micro_credentials"
    if f"{section}:" not in text:
        return text
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError:
        return text
    entries = data.get(section) if isinstance(data, dict) else None
    if not isinstance(entries, list):
        return text
    if len(entries) != 1:
        raise OperationRefused(
            "several_entries",
            f"This file has {len(entries)} entries of that kind, and a draft holds one. "
            "Take out the others, or import the whole file with `microcred catalogue import`.",
        )
    return to_yaml(entries[0]) if isinstance(entries[0], dict) else text
