"""Who is an operator, and what of the installation is theirs to run.

An operator of one organization sees that organization's platforms, and the people whom only those know; an
operator of the whole installation sees everything.
"""

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import aliased

from lti_tool.models import Registration
from microcred.operations.actor import Actor
from microcred.operations.errors import NotAllowed
from microcred.people import Office
from microcred.people.models import LmsIdentity, Organization, Person

PAGE = 25


def is_operator(actor: Actor) -> bool:
    """Whether the actor holds the office of an operator anywhere."""
    return any(office.role == "operator" for office in actor.offices)


def is_of_all(actor: Actor) -> bool:
    """Whether the actor is an operator of the whole installation."""
    return Office("operator", None) in actor.offices


def require_operator(actor: Actor) -> None:
    """Raises NotAllowed."""
    if not is_operator(actor):
        raise NotAllowed("not_operator", "This page is for operators. Your role here does not include it.")


def own_platforms(actor: Actor) -> ColumnElement[bool]:
    """Condition for registrations that the actor operates."""
    if is_of_all(actor):
        return Registration.id.is_not(None)
    return Registration.organization_id.in_(actor.organizations("operator"))


def own_organizations(actor: Actor) -> ColumnElement[bool]:
    """Condition for organizations that the actor operates."""
    if is_of_all(actor):
        return Organization.id.is_not(None)
    return Organization.id.in_(actor.organizations("operator"))


def own_people(actor: Actor) -> ColumnElement[bool]:
    """Condition for persons the actor answers for: none of their linked identities is from elsewhere."""
    if is_of_all(actor):
        return Person.id.is_not(None)
    human = aliased(Person)
    identities = (
        select(LmsIdentity.id)
        .join(human, human.id == LmsIdentity.person_id)
        .join(Registration, Registration.id == LmsIdentity.registration_id)
        .where(
            func.coalesce(human.merged_into_id, human.id) == func.coalesce(Person.merged_into_id, Person.id)
        )
    )
    own = actor.organizations("operator")
    return (
        identities.where(Registration.organization_id.in_(own)).exists()
        & ~identities.where(Registration.organization_id.not_in(own)).exists()
    )
