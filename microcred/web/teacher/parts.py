"""A part: its boxes, saving them, and what to do when two pages wrote at once."""

from dataclasses import dataclass, replace
from typing import Any

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from microcred.operations import evidence, reading_feedback, reading_teacher, teacher, uploading
from microcred.operations.reading_teacher import Field, PartWork, Try
from microcred.operations.teacher import Saved, StaleText
from microcred.web.base import wording
from microcred.web.base.incoming import TEXT_PREFIX, wants_fragment
from microcred.web.base.surface import actor, page_url, surface
from microcred.web.services import services
from microcred.web.teacher.blueprint import blueprint, said

BOTH, THEIRS = "both", "theirs"


@dataclass(frozen=True)
class Note:
    """Something the page says about one place; `kind` is a note's kind."""

    place: str
    kind: str
    title: str
    message: str


@dataclass(frozen=True)
class Saving:
    """What became of the boxes that a form sent, by place."""

    saved: dict[str, Saved]
    stale: dict[str, StaleText]
    typed: dict[str, str]


@blueprint.get("/parts/<part_id>")
def part(part_id: str) -> ResponseReturnValue:
    """The editor of a part."""
    return part_page(part_id, ok=said(request.args.get("ok")))


@blueprint.post("/parts/<part_id>/responses")
def save(part_id: str) -> ResponseReturnValue:
    """Keep the boxes that were sent: all of them from the plain button, one from the saving script."""
    with services().database.writing() as session:
        loaded = reading_teacher.load(session, actor(), lock=True)
        boxes = reading_teacher.part_work(loaded, {}, part_id).fields
        saving = Saving({}, {}, {})
        for box in boxes:
            text = _wanted_text(box, request.form)
            if text is None:
                continue
            saving.typed[box.place_id] = text
            try:
                saving.saved[box.place_id] = teacher.save_response(
                    session,
                    actor(),
                    part_id=part_id,
                    prompt_id=box.prompt.id,
                    student_code=box.student_code,
                    text=text,
                    base_revision=request.form.get(f"revision-{box.place_id}", 0, type=int),
                    now=services().clock.now(),
                )
            except StaleText as stale:
                saving.stale[box.place_id] = stale
    if wants_fragment():
        return _as_data(saving), 409 if saving.stale else 200
    if saving.stale:
        return part_page(part_id, saving=saving), 409
    return redirect(page_url("teacher.part", part_id=part_id, ok="saved"), 303)


def part_page(part_id: str, *, note: Note | None = None, ok: str = "", saving: Saving | None = None) -> str:
    """The part as a page, or as `#part` for htmx. `saving` puts back what could not be saved."""
    with services().database.reading() as session:
        loaded = reading_teacher.load(session, actor())
        given = reading_teacher.permissions_given(session, loaded.pursuit.id)
        here = reading_teacher.part_work(loaded, given, part_id)
        work = reading_teacher.try_of(session, loaded)
        back = reading_feedback.newest_feedback(session, loaded) if work.has_feedback else None
    if saving is not None:
        here = replace(here, fields=tuple(_typed_again(box, saving) for box in here.fields))
    template = "teacher/_part.html" if wants_fragment() else "teacher/part.html"
    return render_template(
        template,
        definition=loaded.definition,
        work=work,
        here=here,
        progress=work.part_progress(part_id),
        points={point.criterion.id: point for point in back.of_part(part_id)} if back else {},
        place_of=reading_feedback.place_of,
        previous=_neighbour(work, here, -1),
        following=_neighbour(work, here, 1),
        note=note,
        ok=ok,
        stale=saving.stale if saving else {},
        can_write=work.is_open and not here.locked,
        stuck_before=services().clock.now() - uploading.JOINED_WITHIN,
        upload_limit=lambda need: evidence.largest(need, services().settings.max_upload_bytes),
    )


def _wanted_text(box: Field, form: MultiDict[str, str]) -> str | None:
    """What is to be saved in a box, None where the form does not have it or the other text was chosen."""
    text = form.get(f"{TEXT_PREFIX}-{box.place_id}")
    choice = form.get(f"choose-{box.place_id}")
    if text is None or choice == THEIRS:
        return None
    return f"{box.body}\n\n{text}" if choice == BOTH else text


def _typed_again(box: Field, saving: Saving) -> Field:
    """A box as the person left it; saving it again is then a choice made in sight of the other text."""
    stale = saving.stale.get(box.place_id)
    return replace(box, body=saving.typed[box.place_id], revision=stale.revision) if stale else box


def _neighbour(work: Try, here: PartWork, step: int) -> Any:
    numbers = [part.part_id for part in work.progress]
    position = numbers.index(here.part.id) + step
    return work.progress[position] if 0 <= position < len(numbers) else None


def _as_data(saving: Saving) -> dict[str, Any]:
    zone = surface().zone
    return {
        "saved": {
            place: {
                "words": one.words,
                "limit": one.word_limit,
                "over": one.is_over,
                "revision": one.revision,
                "at": wording.clock_time(one.saved_at, zone),
            }
            for place, one in saving.saved.items()
        },
        "stale": {
            place: {
                "theirs": one.theirs,
                "revision": one.revision,
                "at": wording.clock_time(one.saved_at, zone),
                "message": one.message,
            }
            for place, one in saving.stale.items()
        },
    }
