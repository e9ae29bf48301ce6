"""Tables of LTI: registrations, deployments, tool keys, contexts, resource links, launches."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from microcred.database import BIGINT, Base, Json, UtcDateTime, random_id

REGISTRATION_STATES = ("pending", "approved", "disabled")
DEPLOYMENT_STATES = ("noted", "approved", "disabled")
LMS_KINDS = ("canvas", "moodle", "schoology", "other")


class Registration(Base):
    """A platform's registration of this tool: issuer, client id, endpoints and what an operator decided about
    them.
    """

    __tablename__ = "registration"
    __table_args__ = (
        CheckConstraint(f"state IN {REGISTRATION_STATES}", name="state"),
        CheckConstraint(f"lms IN {LMS_KINDS}", name="lms"),
        Index("ix_registration_issuer_client_id", "issuer", "client_id"),
        # Two sites may share issuer and client id (self-hosted Canvas); then each answers only at its own
        # login URL.
        Index(
            "uq_registration_issuer_client_id_alone",
            "issuer",
            "client_id",
            unique=True,
            sqlite_where=text("NOT separate_site AND state <> 'pending'"),
            postgresql_where=text("NOT separate_site AND state <> 'pending'"),
        ),
    )

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True, default=lambda: random_id(12))
    """`registration_id` of the public contract; part of `/lti/login/<registration_id>`."""
    name: Mapped[str] = mapped_column(String(300))
    lms: Mapped[str] = mapped_column(String(20))
    """Chooses the dialect."""
    state: Mapped[str] = mapped_column(String(20))
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    issuer: Mapped[str] = mapped_column(String(500))
    client_id: Mapped[str] = mapped_column(String(255))
    separate_site: Mapped[bool] = mapped_column(Boolean, server_default=false())
    """Shares issuer and client id with another registration and answers only at its own login URL."""
    auth_url: Mapped[str] = mapped_column(Text)
    token_url: Mapped[str] = mapped_column(Text)
    jwks_url: Mapped[str] = mapped_column(Text)
    token_audience: Mapped[str | None] = mapped_column(Text)
    """`aud` of client assertions where it is not the token URL."""
    trusted_audiences: Mapped[list[str]] = mapped_column(Json, default=list)
    service_hosts: Mapped[list[str]] = mapped_column(Json, default=list)
    """host[:port] names, `*.` wildcards allowed, that service and return URLs may use beside the endpoints'
    own.
    """
    algorithms: Mapped[list[str]] = mapped_column(Json, default=lambda: ["RS256"])
    any_deployment: Mapped[bool] = mapped_column(Boolean, server_default=false())
    scopes: Mapped[list[str] | None] = mapped_column(Json)
    """Granted at dynamic registration; None where nobody said."""
    is_test_site: Mapped[bool] = mapped_column(Boolean, server_default=false())
    source: Mapped[str | None] = mapped_column(String(64), index=True)
    """A keyed digest of the address that a dynamic registration came from, while it is pending."""
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When a pending dynamic registration that nobody approved is forgotten."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Invitation(Base):
    """A one-use way to register a platform dynamically. The secret is in its address; here is its digest."""

    __tablename__ = "lti_invitation"
    __table_args__ = (CheckConstraint(f"lms IN {LMS_KINDS}", name="lms"),)

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    lms: Mapped[str] = mapped_column(String(20))
    """The dialect of a platform that does not say which LMS it is."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class NotedHost(Base):
    """A host that a signed message of a platform named and that its registration does not reach; nothing
    opens by it.
    """

    __tablename__ = "noted_host"
    __table_args__ = (UniqueConstraint("registration_id", "host"),)

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey("registration.id"))
    host: Mapped[str] = mapped_column(String(255))
    """host, or host:port where the port is not https's."""
    named_for: Mapped[str] = mapped_column(String(20))
    """`return_url`, `service_url`."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Notice(Base):
    """A notice of a platform that was taken (Platform Notification Service 1.0): each id and nonce once."""

    __tablename__ = "lti_notice"
    __table_args__ = (
        UniqueConstraint("registration_id", "notice_id"),
        UniqueConstraint("registration_id", "nonce_digest"),
        Index("ix_lti_notice_received_at", "received_at"),
    )

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey("registration.id"))
    deployment_id: Mapped[int] = mapped_column(ForeignKey("deployment.id"))
    notice_id: Mapped[str] = mapped_column(String(255))
    nonce_digest: Mapped[str] = mapped_column(String(64))
    notice_type: Mapped[str] = mapped_column(String(80))
    context_id: Mapped[int | None] = mapped_column(ForeignKey("context.id"), index=True)
    """The course that a copy made; where it came from is in its `origin_ids`."""
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Deployment(Base):
    """One installation of the tool within a platform (LTI Core 3.1.3). `noted` ones were seen in a signed
    launch, nothing more.
    """

    __tablename__ = "deployment"
    __table_args__ = (
        UniqueConstraint("registration_id", "deployment_id"),
        CheckConstraint(f"state IN {DEPLOYMENT_STATES}", name="state"),
        CheckConstraint(
            "state <> 'approved' OR organization_id IS NOT NULL", name="approved_has_organization"
        ),
    )

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey("registration.id"))
    deployment_id: Mapped[str] = mapped_column(String(255))
    state: Mapped[str] = mapped_column(String(20))
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    registration: Mapped[Registration] = relationship(lazy="raise")


class ToolKey(Base):
    """A signing key of the tool (RS256). The private half is encrypted with the key at rest."""

    __tablename__ = "tool_key"

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    kid: Mapped[str] = mapped_column(String(80), unique=True)
    public_jwk: Mapped[dict[str, Any]] = mapped_column(Json)
    sealed_private_key: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    retires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Set by a rotation: until then the public half stays published; it signs nothing any more."""


class Context(Base):
    """A course as a platform names it (unique within the deployment)."""

    __tablename__ = "context"
    __table_args__ = (UniqueConstraint("deployment_id", "context_id"),)

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    deployment_id: Mapped[int] = mapped_column(ForeignKey("deployment.id"))
    context_id: Mapped[str] = mapped_column(String(255))
    title: Mapped[str | None] = mapped_column(Text)
    label: Mapped[str | None] = mapped_column(Text)
    lineitems_url: Mapped[str | None] = mapped_column(Text)
    ags_scopes: Mapped[list[str]] = mapped_column(Json, default=list)
    memberships_url: Mapped[str | None] = mapped_column(Text)
    origin_ids: Mapped[list[str]] = mapped_column(Json, default=list)
    """The platform's ids of the courses this one was copied from, the latest first."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    deployment: Mapped[Deployment] = relationship(lazy="raise")


class ResourceLink(Base):
    """A link in a course (unique within the deployment; changes when the course is copied)."""

    __tablename__ = "resource_link"
    __table_args__ = (UniqueConstraint("deployment_id", "resource_link_id"),)

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    deployment_id: Mapped[int] = mapped_column(ForeignKey("deployment.id"))
    context_id: Mapped[int | None] = mapped_column(ForeignKey("context.id"), index=True)
    resource_link_id: Mapped[str] = mapped_column(String(255))
    title: Mapped[str | None] = mapped_column(Text)
    lineitem_url: Mapped[str | None] = mapped_column(Text)
    origin_ids: Mapped[list[str]] = mapped_column(Json, default=list)
    """The platform's ids of the links this one was copied from, the latest first."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class CourseStaff(Base):
    """Somebody known here whom a course's roster calls staff; they may never have opened the tool there.

    Nothing is kept of people who were never here: their names stay with the LMS.
    """

    __tablename__ = "course_staff"

    context_id: Mapped[int] = mapped_column(ForeignKey("context.id"), primary_key=True)
    identity_id: Mapped[int] = mapped_column(ForeignKey("lms_identity.id"), primary_key=True, index=True)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """When a roster said so last."""


class Launch(Base):
    """An accepted launch and the page session it opened. `state_id` is unique: a second use of one login is
    `state_used`.
    """

    __tablename__ = "launch"
    __table_args__ = (
        Index("ix_launch_person_context", "person_id", "context_id", "id"),
        Index("ix_launch_created_at", "created_at"),
    )

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True, default=random_id)
    """`L` in `/app/<L>/`."""
    state_id: Mapped[str] = mapped_column(String(64), unique=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey("registration.id"), index=True)
    deployment_id: Mapped[int] = mapped_column(ForeignKey("deployment.id"))
    identity_id: Mapped[int] = mapped_column(ForeignKey("lms_identity.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    context_id: Mapped[int | None] = mapped_column(ForeignKey("context.id"), index=True)
    resource_link_id: Mapped[int | None] = mapped_column(ForeignKey("resource_link.id"))
    message_type: Mapped[str] = mapped_column(String(80))
    rights: Mapped[list[str]] = mapped_column(Json)
    """Course rights of this launch, sorted; office rights come from grants."""
    is_test_user: Mapped[bool] = mapped_column(Boolean, server_default=false())
    target_link_uri: Mapped[str | None] = mapped_column(Text)
    custom: Mapped[dict[str, str]] = mapped_column(Json, default=dict)
    lineitem_url: Mapped[str | None] = mapped_column(Text)
    """AGS line item of the learner's own launch: with linked sections each learner has another."""
    return_url: Mapped[str | None] = mapped_column(Text)
    """Judged at launch; None where it was absent or its host is not the registration's."""
    locale: Mapped[str | None] = mapped_column(String(35))
    for_user_sub: Mapped[str | None] = mapped_column(String(255))
    """`for_user.user_id` of a submission review; nobody is created from it."""
    deep_linking: Mapped[dict[str, Any] | None] = mapped_column(Json)
    """The validated deep linking settings, return URL included; only on LtiDeepLinkingRequest."""
    bound_by: Mapped[str] = mapped_column(String(20))
    """`cookie`, or `storage` where platform storage bound the browser."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    registration: Mapped[Registration] = relationship(lazy="raise")
    deployment: Mapped[Deployment] = relationship(lazy="raise")
    context: Mapped[Context | None] = relationship(lazy="raise")
    resource_link: Mapped[ResourceLink | None] = relationship(lazy="raise")


class UsedHandover(Base):
    """A used one-time hand-over of a page session to another tab."""

    __tablename__ = "used_handover"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
