"""Finding a column's line item, and making it once where there is none."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from grade_passback.ags import (
    Caller,
    LineItem,
    Refused,
    Unreadable,
    line_items,
    read_line_item,
    redacted,
    trouble,
)
from grade_passback.models import LineItemClaim, ScoreLine
from grade_passback.wire import LINE_ITEM_READ_SCOPE, LINE_ITEM_SCOPE, LINE_ITEM_TYPE, number
from lti_tool.models import Context, ResourceLink
from microcred.database import Clock, Database
from microcred.outbox import Blocked, Outcome, Retry
from microcred.placements import MAIN, GradeColumn, Placement

SETTLES = timedelta(seconds=60)
"""After a lost answer to a creation: how long the platform may take to show what it made."""
_SOON = 2.0
_LOST = ("timeout", "dropped", "bad_answer", "too_large", "http_502", "http_504")
"""What may stand in place of the answer to a creation that took place."""


@dataclass(frozen=True)
class ColumnFacts:
    """A column and where its line item is to be found or made."""

    id: int
    tag: str
    label: str
    score_maximum: float
    resource_id: str
    """The placement's public id."""
    resource_link_id: str | None
    lineitem_url: str | None
    container: str | None
    scopes: tuple[str, ...]
    context_id: int | None = None
    copied_from_id: int | None = None
    """Row of the placement that this one was copied from with its course."""

    @property
    def may_read(self) -> bool:
        """Whether the platform lets us list its line items."""
        allowed = LINE_ITEM_SCOPE in self.scopes or LINE_ITEM_READ_SCOPE in self.scopes
        return self.container is not None and allowed


class LineItems:
    """Line items of columns. Answers with an address, or with what becomes of the job that asked."""

    def __init__(self, database: Database, clock: Clock, settles: timedelta = SETTLES) -> None:
        self._database = database
        self._clock = clock
        self._settles = settles

    def known(self, column_id: int, line_id: int, scopes: tuple[str, ...]) -> ColumnFacts:
        """The column as the database has it now; a learner's own line item comes before the column's."""
        with self._database.reading() as session:
            return _facts(session, column_id, line_id, scopes)

    def find(self, caller: Caller, column: ColumnFacts) -> str | Outcome | None:
        """The address of the column's line item by its `resourceId` and `tag`; None where there is none."""
        if not column.may_read or column.container is None:
            return None
        try:
            matches = line_items(
                caller,
                column.container,
                {"resource_id": column.resource_id, "tag": column.tag},
                column.scopes,
            )
            if not matches and column.tag == MAIN and column.resource_link_id:
                matches = line_items(
                    caller, column.container, {"resource_link_id": column.resource_link_id}, column.scopes
                )
            if not matches and column.copied_from_id is not None:
                listed = line_items(caller, column.container, {"tag": column.tag}, column.scopes)
                matches = self._brought_along(column, listed)
        except Refused as refused:
            return trouble(caller, refused.answer)
        except Unreadable as unreadable:
            return Retry(reason="bad_answer", destination_failed=False, answer=redacted(unreadable.answer))
        addresses = list(dict.fromkeys(match.url for match in matches))
        if len(addresses) > 1:
            return Blocked(reason="line_item_ambiguous", answer={"found": len(addresses)})
        return addresses[0] if addresses else None

    def _brought_along(self, column: ColumnFacts, listed: Sequence[LineItem]) -> list[LineItem]:
        """The line item that came into a copied course with its `resourceId` as it was: Moodle copies columns
        that belong to no link. None where it is not certain, or another column has it.
        """
        loose = [item for item in listed if not item.resource_link_id]
        with self._database.reading() as session:
            family = session.scalars(
                select(Placement.public_id).where(
                    Placement.public_id.in_([item.resource_id for item in loose]),
                    (Placement.id == column.copied_from_id)
                    | (Placement.copied_from_id == column.copied_from_id),
                    Placement.context_id.is_distinct_from(column.context_id),
                )
            ).all()
            taken = session.scalars(
                select(GradeColumn.lineitem_url).where(
                    GradeColumn.lineitem_url.in_([item.url for item in loose]), GradeColumn.id != column.id
                )
            ).all()
        found = [item for item in loose if item.resource_id in family and item.url not in taken]
        return found if len(found) == 1 else []

    def find_or_make(self, caller: Caller, column: ColumnFacts) -> str | Outcome:
        """The address of the column's line item, made now if the platform has none. One job makes it; the
        others only look for it, and wait.

        A creation whose answer was lost is not repeated before the platform must have settled; then it is
        searched first.
        """
        if column.container is None:
            return Blocked(reason="not_gradable")
        if not column.may_read:
            return Blocked(reason="scope_missing")
        may_make = LINE_ITEM_SCOPE in column.scopes and self._claim(column.id)
        found = self.find(caller, column)
        if not may_make:
            if found is not None:
                return found
            if LINE_ITEM_SCOPE not in column.scopes:
                return Blocked(reason="line_item_missing")
            return Retry(reason="column_in_the_making", after=_SOON, destination_failed=False)
        made = self._make(caller, column) if found is None else found
        if found is not None or not (isinstance(made, Retry) and made.reason in _LOST):
            self._unclaim(column.id)
        return made

    def _make(self, caller: Caller, column: ColumnFacts) -> str | Outcome:
        body = {
            "label": column.label,
            "scoreMaximum": number(column.score_maximum),
            "resourceId": column.resource_id,
            "tag": column.tag,
        }
        # A second item on a link is invisible in Canvas and drops the `lineitem` claim in Moodle.
        if caller.facts.dialect.binds_line_items and column.tag == MAIN and column.resource_link_id:
            body["resourceLinkId"] = column.resource_link_id
        assert column.container is not None
        answer = caller.call(
            "POST",
            column.container,
            scopes=column.scopes,
            accept=LINE_ITEM_TYPE,
            content_type=LINE_ITEM_TYPE,
            body=json.dumps(body, separators=(",", ":")).encode(),
        )
        if not answer.ok:
            return trouble(caller, answer)
        try:
            return read_line_item(answer).url
        except Unreadable:
            return Retry(reason="bad_answer", destination_failed=False, answer=redacted(answer))

    def _claim(self, column_id: int) -> bool:
        """Be the one who makes the line item; False while somebody else is."""
        now = self._clock.now()
        with self._database.writing() as session:
            insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
            claim = insert(LineItemClaim).values(column_id=column_id, until=now + self._settles)
            free = claim.on_conflict_do_update(
                index_elements=[LineItemClaim.column_id],
                set_={"until": now + self._settles},
                where=LineItemClaim.until <= now,
            ).returning(LineItemClaim.column_id)
            return session.execute(free).first() is not None

    def _unclaim(self, column_id: int) -> None:
        with self._database.writing() as session:
            session.execute(delete(LineItemClaim).where(LineItemClaim.column_id == column_id))


def remember(session: Session, column_id: int, line_id: int, url: str, instead_of: str | None) -> None:
    """Keep the address that was found; `instead_of` is one that turned out to be gone."""
    columns = update(GradeColumn).where(GradeColumn.id == column_id)
    if instead_of is None:
        session.execute(columns.where(GradeColumn.lineitem_url.is_(None)).values(lineitem_url=url))
        return
    session.execute(columns.where(GradeColumn.lineitem_url == instead_of).values(lineitem_url=url))
    lines = update(ScoreLine).where(ScoreLine.id == line_id, ScoreLine.lineitem_url == instead_of)
    session.execute(lines.values(lineitem_url=url))


def _facts(session: Session, column_id: int, line_id: int, scopes: tuple[str, ...]) -> ColumnFacts:
    row = session.execute(
        select(
            GradeColumn,
            Placement.public_id,
            Placement.context_id,
            Placement.copied_from_id,
            ResourceLink.resource_link_id,
            Context.lineitems_url,
            ScoreLine.lineitem_url.label("own_url"),
        )
        .join(Placement, Placement.id == GradeColumn.placement_id)
        .outerjoin(ResourceLink, ResourceLink.id == Placement.resource_link_id)
        .outerjoin(Context, Context.id == Placement.context_id)
        .outerjoin(ScoreLine, ScoreLine.id == line_id)
        .where(GradeColumn.id == column_id)
    ).one()
    column = row.GradeColumn
    return ColumnFacts(
        id=column.id,
        tag=column.tag,
        label=column.label,
        score_maximum=column.score_maximum,
        resource_id=row.public_id,
        resource_link_id=row.resource_link_id,
        lineitem_url=row.own_url or column.lineitem_url,
        container=row.lineitems_url,
        scopes=scopes,
        context_id=row.context_id,
        copied_from_id=row.copied_from_id,
    )
