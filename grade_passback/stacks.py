"""The columns of stacks: counted anew, in the transaction of the award or revocation that changes them."""

from datetime import datetime

from sqlalchemy.orm import Session

from grade_passback.gradebook import Gradebook
from grade_passback.scores import STACK_MOMENTS, score_for_stack
from microcred.credentials import earned_keys, members_of, stack_progress
from microcred.credentials.models import Credential, CredentialVersion, Pursuit
from microcred.outbox import OutboxRow
from microcred.people import policies
from microcred.people.linked import ids_of
from microcred.placements import STACK, stack_cells


def enqueue_stacks(session: Session, *, pursuit: Pursuit, moment: str, now: datetime) -> list[OutboxRow]:
    """Write what the columns of stacks hear of `moment`; the rows made. After the award was stored or
    revoked, in its own transaction.

    Everything that this human holds counts, whichever course it was earned in; every course with such a
    column where they have begun is told. The cell is locked before the count, so of two awards at once the
    second counts both.
    """
    if moment not in STACK_MOMENTS:
        return []
    person_ids = ids_of(session, pursuit.person_id)
    version = session.get_one(CredentialVersion, pursuit.version_id)
    key = session.get_one(Credential, version.credential_id).key
    rows = []
    for cell in stack_cells(session, person_ids, key):
        gradebook = Gradebook.of(session, cell.placement, cell.person_id, now, stack=True)
        if gradebook is None or STACK not in gradebook.tags:
            continue
        held = earned_keys(session, person_ids, members_of(cell.stack), is_test=cell.is_test)
        today = now.astimezone(policies.zone_of(session, cell.placement.organization_id)).date()
        progress = stack_progress(cell.stack, held)
        draft = score_for_stack(moment, progress, gradebook.scores.get(STACK), today)
        row = gradebook.write(draft, moment) if draft is not None else None
        if row is not None:
            rows.append(row)
    return rows
