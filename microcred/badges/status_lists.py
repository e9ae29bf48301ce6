"""Signed Bitstring status lists of issued badges: signed anew after a revocation, by the next reader."""

from typing import Any

from sqlalchemy import select

from microcred.badges import integrity, status
from microcred.badges.facts import Addresses
from microcred.badges.issuer_keys import IssuerKeys
from microcred.badges.models import Badge, StatusList
from microcred.badges.public_award import NoSuchBadge
from microcred.credentials.models import Award
from microcred.database import Clock, Database


class StatusLists:
    """The lists of every issuer."""

    def __init__(self, database: Database, clock: Clock, keys: IssuerKeys, addresses: Addresses) -> None:
        self._database, self._clock, self._keys, self._addresses = database, clock, keys, addresses

    def credential(self, number: int) -> dict[str, Any]:
        """The signed Bitstring status list credential, signed anew after a revocation. Raises NoSuchBadge."""
        with self._database.reading() as session:
            numbers = session.get(StatusList, number)
            if numbers is None:
                raise NoSuchBadge
            if numbers.credential is not None:
                return numbers.credential
        signer = self._keys.signer(numbers.organization_id)
        now = self._clock.now()
        with self._database.reading() as session:
            revoked = session.scalars(
                select(Badge.status_index)
                .join(Award, Award.id == Badge.award_id)
                .where(Badge.status_list_id == number, Award.revoked_at.is_not(None))
            ).all()
        unsigned = status.list_credential(
            url=self._addresses.status_list(number),
            issuer_did=signer.identity.did,
            revoked=revoked,
            size=numbers.size,
            valid_from=now,
        )
        signed = integrity.sign(unsigned, signer.key, signer.identity.verification_method, now)
        with self._database.writing() as session:
            # Locked first: a revocation that is not seen below waits here, and then empties the column.
            row = session.get_one(StatusList, number, with_for_update=True)
            # A revocation committed since the bits were read has emptied the column again: it must not be
            # overwritten.
            again = session.scalars(
                select(Badge.status_index)
                .join(Award, Award.id == Badge.award_id)
                .where(Badge.status_list_id == number, Award.revoked_at.is_not(None))
            ).all()
            if sorted(again) == sorted(revoked):
                row.credential, row.signed_at = signed, now
        return signed
