"""The first schema."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "backpack_host",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("address", sa.String(length=300), nullable=False),
        sa.Column("protocol", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column(
            "facts",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
            ),
            nullable=False,
        ),
        sa.Column("sealed_client", sa.LargeBinary(), nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("client_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("met_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("protocol IN ('ob2.1', 'ob3')", name=op.f("ck_backpack_host_protocol")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backpack_host")),
        sa.UniqueConstraint("address", name=op.f("uq_backpack_host_address")),
        sa.UniqueConstraint("public_id", name=op.f("uq_backpack_host_public_id")),
    )
    op.create_table(
        "catalogue",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column(
            "document",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
            ),
            nullable=False,
        ),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalogue")),
        sa.UniqueConstraint("title", name=op.f("uq_catalogue_title")),
    )
    op.create_table(
        "evidence_file",
        sa.Column("storage_key", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("location", sa.String(length=20), server_default="unknown", nullable=False),
        sa.Column("view_key", sa.String(length=200), nullable=True),
        sa.Column("view_media_type", sa.String(length=120), nullable=True),
        sa.Column("view_size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("seconds", sa.Integer(), nullable=True),
        sa.Column("view_problem", sa.String(length=40), server_default="", nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("original_gone_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state IN ('ready', 'infected')) = (settled_at IS NOT NULL)",
            name=op.f("ck_evidence_file_settled_at"),
        ),
        sa.CheckConstraint(
            "location IN ('unknown', 'none', 'removed', 'kept')", name=op.f("ck_evidence_file_location")
        ),
        sa.CheckConstraint(
            "state <> 'infected' OR view_key IS NULL", name=op.f("ck_evidence_file_infected_is_gone")
        ),
        sa.CheckConstraint(
            "state IN ('scanning', 'preparing', 'ready', 'infected')", name=op.f("ck_evidence_file_state")
        ),
        sa.CheckConstraint(
            "(view_key IS NULL) = (view_size IS NULL) AND (view_key IS NULL) = (view_media_type IS NULL)",
            name=op.f("ck_evidence_file_view"),
        ),
        sa.CheckConstraint(
            "original_gone_at IS NULL OR view_key IS NOT NULL", name=op.f("ck_evidence_file_original_gone_at")
        ),
        sa.PrimaryKeyConstraint("storage_key", name=op.f("pk_evidence_file")),
    )
    with op.batch_alter_table("evidence_file", schema=None) as batch_op:
        batch_op.create_index(
            "ix_evidence_file_original",
            ["settled_at"],
            unique=False,
            sqlite_where=sa.text("view_key IS NOT NULL AND original_gone_at IS NULL"),
            postgresql_where=sa.text("view_key IS NOT NULL AND original_gone_at IS NULL"),
        )

    op.create_table(
        "organization",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=120), nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("contact_email", sa.String(length=320), nullable=True),
        sa.Column("shares_catalogue", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column(
            "policies",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
            ),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organization")),
        sa.UniqueConstraint("code", name=op.f("uq_organization_code")),
        sa.UniqueConstraint("public_id", name=op.f("uq_organization_public_id")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("destination", sa.String(length=80), nullable=False),
        sa.Column("order_key", sa.String(length=300), nullable=True),
        sa.Column("replaces", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("subject_type", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.String(length=80), nullable=False),
        sa.Column(
            "payload",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
            ),
            nullable=False,
        ),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=60), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("first_tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "last_answer",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
            ),
            nullable=True,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state IN ('waiting', 'held')) = (finished_at IS NULL)", name=op.f("ck_outbox_finished_at")
        ),
        sa.CheckConstraint(
            "leased_until IS NULL OR state = 'waiting'", name=op.f("ck_outbox_leased_is_waiting")
        ),
        sa.CheckConstraint(
            "state <> 'held' OR order_key IS NOT NULL", name=op.f("ck_outbox_held_has_order_key")
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'held', 'delivered', 'accepted', 'unverified', 'blocked', 'superseded', 'dead', 'cancelled')",
            name=op.f("ck_outbox_state"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('blocked', 'dead') OR reason IS NOT NULL", name=op.f("ck_outbox_stuck_has_reason")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index("ix_outbox_finished_at", ["finished_at"], unique=False)
        batch_op.create_index("ix_outbox_order", ["order_key", "id"], unique=False)
        batch_op.create_index("ix_outbox_state", ["state", "destination", "due_at", "id"], unique=False)
        batch_op.create_index("ix_outbox_subject", ["subject_type", "subject_id"], unique=False)

    op.create_table(
        "outbox_destination",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pause_reason", sa.String(length=60), nullable=True),
        sa.Column("stopped", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_outbox_destination")),
    )
    op.create_table(
        "outbox_worker",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_worker")),
    )
    with op.batch_alter_table("outbox_worker", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_outbox_worker_seen_at"), ["seen_at"], unique=False)

    op.create_table(
        "person",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=True),
        sa.Column("given_name", sa.String(length=300), nullable=True),
        sa.Column("family_name", sa.String(length=300), nullable=True),
        sa.Column("email", sa.String(length=320), nullable=True),
        sa.Column("locale", sa.String(length=35), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("merged_into_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('active', 'suspended', 'erased')", name=op.f("ck_person_state")),
        sa.CheckConstraint(
            "merged_into_id IS NULL OR merged_into_id <> id", name=op.f("ck_person_merged_elsewhere")
        ),
        sa.ForeignKeyConstraint(["merged_into_id"], ["person.id"], name=op.f("fk_person_merged_into_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("public_id", name=op.f("uq_person_public_id")),
    )
    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_person_merged_into_id"), ["merged_into_id"], unique=False)

    op.create_table(
        "tool_key",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kid", sa.String(length=80), nullable=False),
        sa.Column(
            "public_jwk",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
            ),
            nullable=False,
        ),
        sa.Column("sealed_private_key", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retires_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tool_key")),
        sa.UniqueConstraint("kid", name=op.f("uq_tool_key_kid")),
    )
    op.create_table(
        "used_handover",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_used_handover")),
    )
    with op.batch_alter_table("used_handover", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_used_handover_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "audit_event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("action", sa.String(length=80), nullable=False),
        sa.Column("subject_type", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.String(length=80), nullable=False),
        sa.Column("before", sa.String(length=80), nullable=True),
        sa.Column("after", sa.String(length=80), nullable=True),
        sa.Column(
            "detail",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["actor_id"], ["person.id"], name=op.f("fk_audit_event_actor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_event")),
    )
    with op.batch_alter_table("audit_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_event_actor_id"), ["actor_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_event_at"), ["at"], unique=False)
        batch_op.create_index("ix_audit_event_subject", ["subject_type", "subject_id", "id"], unique=False)

    op.create_table(
        "backpack",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("host_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("sends_by_itself", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("sealed_tokens", sa.LargeBinary(), nullable=True),
        sa.Column("tokens_expire_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("renewing_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("connected_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(state = 'disconnected') = (sealed_tokens IS NULL)", name=op.f("ck_backpack_tokens")
        ),
        sa.CheckConstraint(
            "state IN ('connected', 'needs_reconnect', 'disconnected')", name=op.f("ck_backpack_state")
        ),
        sa.ForeignKeyConstraint(["host_id"], ["backpack_host.id"], name=op.f("fk_backpack_host_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_backpack_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backpack")),
        sa.UniqueConstraint("person_id", "host_id", name=op.f("uq_backpack_person_id_host_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_backpack_public_id")),
    )
    op.create_table(
        "contact_address",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_contact_address_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_address")),
        sa.UniqueConstraint("person_id", "address", name=op.f("uq_contact_address_person_id_address")),
    )
    op.create_table(
        "credential",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("catalogue_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("issuer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint("kind IN ('micro_credential', 'stack')", name=op.f("ck_credential_kind")),
        sa.ForeignKeyConstraint(["catalogue_id"], ["catalogue.id"], name=op.f("fk_credential_catalogue_id")),
        sa.ForeignKeyConstraint(["issuer_id"], ["organization.id"], name=op.f("fk_credential_issuer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credential")),
        sa.UniqueConstraint("key", name=op.f("uq_credential_key")),
    )
    with op.batch_alter_table("credential", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_credential_issuer_id"), ["issuer_id"], unique=False)

    op.create_table(
        "desk_session",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_desk_session_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_session")),
        sa.UniqueConstraint("digest", name=op.f("uq_desk_session_digest")),
    )
    with op.batch_alter_table("desk_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_desk_session_person_id"), ["person_id"], unique=False)

    op.create_table(
        "erase_request",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("keeps_badges", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('erased', 'declined', 'taken_back')", name=op.f("ck_erase_request_outcome")
        ),
        sa.CheckConstraint("(closed_at IS NULL) = (outcome IS NULL)", name=op.f("ck_erase_request_closed")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_erase_request_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erase_request")),
    )
    with op.batch_alter_table("erase_request", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_erase_request_person_id"), ["person_id"], unique=False)
        batch_op.create_index(
            "uq_erase_request_open",
            ["person_id"],
            unique=True,
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )

    op.create_table(
        "imported_badge",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("badge_id", sa.String(length=1000), nullable=False),
        sa.Column("version", sa.String(length=5), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("issuer_id", sa.Text(), nullable=False),
        sa.Column("issuer_name", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hours", sa.Integer(), nullable=True),
        sa.Column("standing", sa.String(length=10), nullable=False),
        sa.Column(
            "checks",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
            ),
            nullable=False,
        ),
        sa.Column("document", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "standing IN ('verified', 'partly', 'expired')", name=op.f("ck_imported_badge_standing")
        ),
        sa.CheckConstraint("version IN ('2.0', '3.0')", name=op.f("ck_imported_badge_version")),
        sa.CheckConstraint("hours IS NULL OR hours > 0", name=op.f("ck_imported_badge_hours")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_imported_badge_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imported_badge")),
        sa.UniqueConstraint("person_id", "badge_id", name=op.f("uq_imported_badge_person_id_badge_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_imported_badge_public_id")),
    )
    op.create_table(
        "issuer_key",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("fragment", sa.String(length=120), nullable=False),
        sa.Column("algorithm", sa.String(length=10), nullable=False),
        sa.Column("public_jwk", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("sealed_private_key", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(algorithm = 'RS256') = (public_jwk IS NOT NULL)", name=op.f("ck_issuer_key_rsa_has_jwk")
        ),
        sa.CheckConstraint("algorithm IN ('Ed25519', 'RS256')", name=op.f("ck_issuer_key_algorithm")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_issuer_key_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_issuer_key")),
        sa.UniqueConstraint(
            "organization_id", "fragment", name=op.f("uq_issuer_key_organization_id_fragment")
        ),
    )
    with op.batch_alter_table("issuer_key", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_issuer_key_organization_id"), ["organization_id"], unique=False)
        batch_op.create_index(
            "uq_issuer_key_current",
            ["organization_id", "algorithm"],
            unique=True,
            sqlite_where=sa.text("retired_at IS NULL"),
            postgresql_where=sa.text("retired_at IS NULL"),
        )

    op.create_table(
        "link_code",
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_link_code_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_link_code")),
        sa.UniqueConstraint("digest", name=op.f("uq_link_code_digest")),
    )
    op.create_table(
        "lti_invitation",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lms", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "lms IN ('canvas', 'moodle', 'schoology', 'other')", name=op.f("ck_lti_invitation_lms")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_lti_invitation_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lti_invitation")),
        sa.UniqueConstraint("digest", name=op.f("uq_lti_invitation_digest")),
    )
    op.create_table(
        "notice_choice",
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("topic", sa.String(length=20), nullable=False),
        sa.Column("by_mail", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "topic IN ('my_work', 'reminders', 'reviews', 'decisions')", name=op.f("ck_notice_choice_topic")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_notice_choice_person_id")),
        sa.PrimaryKeyConstraint("person_id", "topic", name=op.f("pk_notice_choice")),
    )
    op.create_table(
        "one_time_link",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_one_time_link_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_time_link")),
        sa.UniqueConstraint("digest", name=op.f("uq_one_time_link_digest")),
    )
    with op.batch_alter_table("one_time_link", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_one_time_link_person_id"), ["person_id"], unique=False)

    op.create_table(
        "registration",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("lms", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("issuer", sa.String(length=500), nullable=False),
        sa.Column("client_id", sa.String(length=255), nullable=False),
        sa.Column("separate_site", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("auth_url", sa.Text(), nullable=False),
        sa.Column("token_url", sa.Text(), nullable=False),
        sa.Column("jwks_url", sa.Text(), nullable=False),
        sa.Column("token_audience", sa.Text(), nullable=True),
        sa.Column(
            "trusted_audiences",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
            ),
            nullable=False,
        ),
        sa.Column(
            "service_hosts",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
            ),
            nullable=False,
        ),
        sa.Column(
            "algorithms",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
            ),
            nullable=False,
        ),
        sa.Column("any_deployment", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column(
            "scopes",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
            ),
            nullable=True,
        ),
        sa.Column("is_test_site", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "lms IN ('canvas', 'moodle', 'schoology', 'other')", name=op.f("ck_registration_lms")
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'approved', 'disabled')", name=op.f("ck_registration_state")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_registration_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registration")),
        sa.UniqueConstraint("public_id", name=op.f("uq_registration_public_id")),
    )
    with op.batch_alter_table("registration", schema=None) as batch_op:
        batch_op.create_index("ix_registration_issuer_client_id", ["issuer", "client_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_registration_organization_id"), ["organization_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_registration_source"), ["source"], unique=False)
        batch_op.create_index(
            "uq_registration_issuer_client_id_alone",
            ["issuer", "client_id"],
            unique=True,
            sqlite_where=sa.text("NOT separate_site AND state <> 'pending'"),
            postgresql_where=sa.text("NOT separate_site AND state <> 'pending'"),
        )

    op.create_table(
        "reviewer_pool",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("issuer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["issuer_id"], ["organization.id"], name=op.f("fk_reviewer_pool_issuer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviewer_pool")),
        sa.UniqueConstraint("issuer_id", "name", name=op.f("uq_reviewer_pool_issuer_id_name")),
        sa.UniqueConstraint("public_id", name=op.f("uq_reviewer_pool_public_id")),
    )
    op.create_table(
        "role_grant",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column("granted_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint(
            "role IN ('operator', 'author', 'reviewer', 'approver', 'faculty', 'registrar', 'leader')",
            name=op.f("ck_role_grant_role"),
        ),
        sa.CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name=op.f("ck_role_grant_period")),
        sa.ForeignKeyConstraint(["granted_by_id"], ["person.id"], name=op.f("fk_role_grant_granted_by_id")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_role_grant_organization_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_role_grant_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role_grant")),
    )
    with op.batch_alter_table("role_grant", schema=None) as batch_op:
        batch_op.create_index("ix_role_grant_organization_role", ["organization_id", "role"], unique=False)
        batch_op.create_index("ix_role_grant_person_role", ["person_id", "role"], unique=False)

    op.create_table(
        "status_list",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("issued", sa.Integer(), nullable=False),
        sa.Column("credential", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_status_list_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_status_list")),
    )
    with op.batch_alter_table("status_list", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_status_list_organization_id"), ["organization_id"], unique=False)

    op.create_table(
        "calibration_round",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("reviewer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("credential_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "anchor_ids",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
            ),
            nullable=False,
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("compared", sa.Integer(), nullable=False),
        sa.Column("agreed", sa.Integer(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=True),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(finished_at IS NULL) = (passed IS NULL)", name=op.f("ck_calibration_round_finished")
        ),
        sa.CheckConstraint("agreed BETWEEN 0 AND compared", name=op.f("ck_calibration_round_agreed")),
        sa.CheckConstraint(
            "valid_until IS NULL OR passed", name=op.f("ck_calibration_round_valid_if_passed")
        ),
        sa.ForeignKeyConstraint(
            ["credential_id"], ["credential.id"], name=op.f("fk_calibration_round_credential_id")
        ),
        sa.ForeignKeyConstraint(
            ["reviewer_id"], ["person.id"], name=op.f("fk_calibration_round_reviewer_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calibration_round")),
        sa.UniqueConstraint("public_id", name=op.f("uq_calibration_round_public_id")),
    )
    with op.batch_alter_table("calibration_round", schema=None) as batch_op:
        batch_op.create_index(
            "ix_calibration_round_standing", ["reviewer_id", "credential_id", "valid_until"], unique=False
        )
        batch_op.create_index(
            "uq_calibration_round_open",
            ["reviewer_id", "credential_id"],
            unique=True,
            sqlite_where=sa.text("finished_at IS NULL"),
            postgresql_where=sa.text("finished_at IS NULL"),
        )

    op.create_table(
        "credential_version",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("credential_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("clock_hours", sa.Integer(), nullable=False),
        sa.Column(
            "document",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
            ),
            nullable=False,
        ),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state = 'draft' OR published_at IS NOT NULL", name=op.f("ck_credential_version_published_at")
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'published', 'retired')", name=op.f("ck_credential_version_state")
        ),
        sa.ForeignKeyConstraint(
            ["credential_id"], ["credential.id"], name=op.f("fk_credential_version_credential_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credential_version")),
        sa.UniqueConstraint(
            "credential_id", "version", name=op.f("uq_credential_version_credential_id_version")
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_credential_version_public_id")),
    )
    with op.batch_alter_table("credential_version", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_credential_version_code"), ["code"], unique=False)
        batch_op.create_index("ix_credential_version_state_title", ["state", "title"], unique=False)

    op.create_table(
        "deployment",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("registration_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("deployment_id", sa.String(length=255), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state <> 'approved' OR organization_id IS NOT NULL",
            name=op.f("ck_deployment_approved_has_organization"),
        ),
        sa.CheckConstraint("state IN ('noted', 'approved', 'disabled')", name=op.f("ck_deployment_state")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_deployment_organization_id")
        ),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["registration.id"], name=op.f("fk_deployment_registration_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deployment")),
        sa.UniqueConstraint(
            "registration_id", "deployment_id", name=op.f("uq_deployment_registration_id_deployment_id")
        ),
    )
    with op.batch_alter_table("deployment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_deployment_organization_id"), ["organization_id"], unique=False)

    op.create_table(
        "lms_identity",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("registration_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sub", sa.String(length=255), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("is_test_user", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_lms_identity_person_id")),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["registration.id"], name=op.f("fk_lms_identity_registration_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lms_identity")),
        sa.UniqueConstraint("registration_id", "sub", name=op.f("uq_lms_identity_registration_id_sub")),
    )
    with op.batch_alter_table("lms_identity", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_lms_identity_person_id"), ["person_id"], unique=False)

    op.create_table(
        "noted_host",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("registration_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("named_for", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["registration.id"], name=op.f("fk_noted_host_registration_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_noted_host")),
        sa.UniqueConstraint("registration_id", "host", name=op.f("uq_noted_host_registration_id_host")),
    )
    op.create_table(
        "reviewer_pool_member",
        sa.Column("pool_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_reviewer_pool_member_person_id")),
        sa.ForeignKeyConstraint(
            ["pool_id"], ["reviewer_pool.id"], name=op.f("fk_reviewer_pool_member_pool_id")
        ),
        sa.PrimaryKeyConstraint("pool_id", "person_id", name=op.f("pk_reviewer_pool_member")),
    )
    with op.batch_alter_table("reviewer_pool_member", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_reviewer_pool_member_person_id"), ["person_id"], unique=False)

    op.create_table(
        "saved_comment",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reviewer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("credential_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("criterion_id", sa.String(length=60), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["credential_id"], ["credential.id"], name=op.f("fk_saved_comment_credential_id")
        ),
        sa.ForeignKeyConstraint(["reviewer_id"], ["person.id"], name=op.f("fk_saved_comment_reviewer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_comment")),
    )
    with op.batch_alter_table("saved_comment", schema=None) as batch_op:
        batch_op.create_index(
            "ix_saved_comment_reviewer_credential",
            ["reviewer_id", "credential_id", "criterion_id"],
            unique=False,
        )

    op.create_table(
        "context",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("deployment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("context_id", sa.String(length=255), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("lineitems_url", sa.Text(), nullable=True),
        sa.Column(
            "ags_scopes",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
            ),
            nullable=False,
        ),
        sa.Column("memberships_url", sa.Text(), nullable=True),
        sa.Column(
            "origin_ids",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
            ),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["deployment_id"], ["deployment.id"], name=op.f("fk_context_deployment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_context")),
        sa.UniqueConstraint("deployment_id", "context_id", name=op.f("uq_context_deployment_id_context_id")),
    )
    op.create_table(
        "credential_draft",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("issuer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("catalogue_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("written_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "confirmed",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
            ),
            nullable=False,
        ),
        sa.Column("signed_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("signed_digest", sa.String(length=64), nullable=True),
        sa.Column("version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("discarded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('micro_credential', 'stack')", name=op.f("ck_credential_draft_kind")),
        sa.CheckConstraint(
            "(published_at IS NULL) = (version_id IS NULL)", name=op.f("ck_credential_draft_published")
        ),
        sa.CheckConstraint(
            "(signed_by_id IS NULL) = (signed_at IS NULL) AND (signed_by_id IS NULL) = (signed_digest IS NULL)",
            name=op.f("ck_credential_draft_signed"),
        ),
        sa.CheckConstraint(
            "published_at IS NULL OR signed_at IS NOT NULL",
            name=op.f("ck_credential_draft_signed_before_published"),
        ),
        sa.ForeignKeyConstraint(
            ["catalogue_id"], ["catalogue.id"], name=op.f("fk_credential_draft_catalogue_id")
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id"], ["organization.id"], name=op.f("fk_credential_draft_issuer_id")
        ),
        sa.ForeignKeyConstraint(
            ["signed_by_id"], ["person.id"], name=op.f("fk_credential_draft_signed_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["credential_version.id"], name=op.f("fk_credential_draft_version_id")
        ),
        sa.ForeignKeyConstraint(
            ["written_by_id"], ["person.id"], name=op.f("fk_credential_draft_written_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credential_draft")),
        sa.UniqueConstraint("public_id", name=op.f("uq_credential_draft_public_id")),
    )
    with op.batch_alter_table("credential_draft", schema=None) as batch_op:
        batch_op.create_index("ix_credential_draft_issuer", ["issuer_id", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_credential_draft_signed_by_id"), ["signed_by_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_credential_draft_written_by_id"), ["written_by_id"], unique=False
        )

    op.create_table(
        "endorsement",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("credential", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("endorsed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_endorsement_organization_id")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["credential_version.id"], name=op.f("fk_endorsement_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_endorsement")),
        sa.UniqueConstraint("public_id", name=op.f("uq_endorsement_public_id")),
        sa.UniqueConstraint(
            "version_id", "organization_id", name=op.f("uq_endorsement_version_id_organization_id")
        ),
    )
    op.create_table(
        "course_staff",
        sa.Column("context_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("identity_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["context_id"], ["context.id"], name=op.f("fk_course_staff_context_id")),
        sa.ForeignKeyConstraint(
            ["identity_id"], ["lms_identity.id"], name=op.f("fk_course_staff_identity_id")
        ),
        sa.PrimaryKeyConstraint("context_id", "identity_id", name=op.f("pk_course_staff")),
    )
    with op.batch_alter_table("course_staff", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_course_staff_identity_id"), ["identity_id"], unique=False)

    op.create_table(
        "lti_notice",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("registration_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("deployment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("notice_id", sa.String(length=255), nullable=False),
        sa.Column("nonce_digest", sa.String(length=64), nullable=False),
        sa.Column("notice_type", sa.String(length=80), nullable=False),
        sa.Column("context_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["context_id"], ["context.id"], name=op.f("fk_lti_notice_context_id")),
        sa.ForeignKeyConstraint(
            ["deployment_id"], ["deployment.id"], name=op.f("fk_lti_notice_deployment_id")
        ),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["registration.id"], name=op.f("fk_lti_notice_registration_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lti_notice")),
        sa.UniqueConstraint(
            "registration_id", "nonce_digest", name=op.f("uq_lti_notice_registration_id_nonce_digest")
        ),
        sa.UniqueConstraint(
            "registration_id", "notice_id", name=op.f("uq_lti_notice_registration_id_notice_id")
        ),
    )
    with op.batch_alter_table("lti_notice", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_lti_notice_context_id"), ["context_id"], unique=False)
        batch_op.create_index("ix_lti_notice_received_at", ["received_at"], unique=False)

    op.create_table(
        "resource_link",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("deployment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("context_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("resource_link_id", sa.String(length=255), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("lineitem_url", sa.Text(), nullable=True),
        sa.Column(
            "origin_ids",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
            ),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["context_id"], ["context.id"], name=op.f("fk_resource_link_context_id")),
        sa.ForeignKeyConstraint(
            ["deployment_id"], ["deployment.id"], name=op.f("fk_resource_link_deployment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resource_link")),
        sa.UniqueConstraint(
            "deployment_id", "resource_link_id", name=op.f("uq_resource_link_deployment_id_resource_link_id")
        ),
    )
    with op.batch_alter_table("resource_link", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_resource_link_context_id"), ["context_id"], unique=False)

    op.create_table(
        "launch",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("state_id", sa.String(length=64), nullable=False),
        sa.Column("registration_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("deployment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("identity_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("context_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("resource_link_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("message_type", sa.String(length=80), nullable=False),
        sa.Column(
            "rights",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
            ),
            nullable=False,
        ),
        sa.Column("is_test_user", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("target_link_uri", sa.Text(), nullable=True),
        sa.Column(
            "custom",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
            ),
            nullable=False,
        ),
        sa.Column("lineitem_url", sa.Text(), nullable=True),
        sa.Column("return_url", sa.Text(), nullable=True),
        sa.Column("locale", sa.String(length=35), nullable=True),
        sa.Column("for_user_sub", sa.String(length=255), nullable=True),
        sa.Column(
            "deep_linking",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
            ),
            nullable=True,
        ),
        sa.Column("bound_by", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["context_id"], ["context.id"], name=op.f("fk_launch_context_id")),
        sa.ForeignKeyConstraint(["deployment_id"], ["deployment.id"], name=op.f("fk_launch_deployment_id")),
        sa.ForeignKeyConstraint(["identity_id"], ["lms_identity.id"], name=op.f("fk_launch_identity_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_launch_person_id")),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["registration.id"], name=op.f("fk_launch_registration_id")
        ),
        sa.ForeignKeyConstraint(
            ["resource_link_id"], ["resource_link.id"], name=op.f("fk_launch_resource_link_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_launch")),
        sa.UniqueConstraint("public_id", name=op.f("uq_launch_public_id")),
        sa.UniqueConstraint("state_id", name=op.f("uq_launch_state_id")),
    )
    with op.batch_alter_table("launch", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_launch_context_id"), ["context_id"], unique=False)
        batch_op.create_index("ix_launch_created_at", ["created_at"], unique=False)
        batch_op.create_index("ix_launch_person_context", ["person_id", "context_id", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_launch_registration_id"), ["registration_id"], unique=False)

    op.create_table(
        "placement",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("context_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("deployment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("stack_version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("copied_from_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("resource_link_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("grade_scheme", sa.String(length=30), nullable=False),
        sa.Column("denied_as", sa.String(length=10), nullable=False),
        sa.Column("open_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("submit_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outside_reviewers", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("reviewer_pool_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("made_in_launch_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("denied_as IN ('blank', 'zero')", name=op.f("ck_placement_denied_as")),
        sa.CheckConstraint(
            "grade_scheme IN ('complete', 'hundred', 'rubric_points', 'per_part', 'graduate_letter')",
            name=op.f("ck_placement_grade_scheme"),
        ),
        sa.CheckConstraint(
            "open_from IS NULL OR submit_by IS NULL OR open_from < submit_by",
            name=op.f("ck_placement_opens_before_it_closes"),
        ),
        sa.CheckConstraint(
            "reviewer_pool_id IS NULL OR NOT outside_reviewers", name=op.f("ck_placement_one_pool")
        ),
        sa.ForeignKeyConstraint(["context_id"], ["context.id"], name=op.f("fk_placement_context_id")),
        sa.ForeignKeyConstraint(
            ["copied_from_id"], ["placement.id"], name=op.f("fk_placement_copied_from_id")
        ),
        sa.ForeignKeyConstraint(["created_by_id"], ["person.id"], name=op.f("fk_placement_created_by_id")),
        sa.ForeignKeyConstraint(
            ["deployment_id"], ["deployment.id"], name=op.f("fk_placement_deployment_id")
        ),
        sa.ForeignKeyConstraint(
            ["made_in_launch_id"], ["launch.id"], name=op.f("fk_placement_made_in_launch_id")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_placement_organization_id")
        ),
        sa.ForeignKeyConstraint(
            ["resource_link_id"], ["resource_link.id"], name=op.f("fk_placement_resource_link_id")
        ),
        sa.ForeignKeyConstraint(
            ["reviewer_pool_id"], ["reviewer_pool.id"], name=op.f("fk_placement_reviewer_pool_id")
        ),
        sa.ForeignKeyConstraint(
            ["stack_version_id"], ["credential_version.id"], name=op.f("fk_placement_stack_version_id")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["credential_version.id"], name=op.f("fk_placement_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_placement")),
        sa.UniqueConstraint(
            "made_in_launch_id", "version_id", name=op.f("uq_placement_made_in_launch_id_version_id")
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_placement_public_id")),
        sa.UniqueConstraint("resource_link_id", name=op.f("uq_placement_resource_link_id")),
    )
    with op.batch_alter_table("placement", schema=None) as batch_op:
        batch_op.create_index("ix_placement_context", ["context_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_placement_reviewer_pool_id"), ["reviewer_pool_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_placement_stack_version_id"), ["stack_version_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_placement_version_id"), ["version_id"], unique=False)

    op.create_table(
        "grade_column",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("placement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("tag", sa.String(length=60), nullable=False),
        sa.Column("label", sa.String(length=300), nullable=False),
        sa.Column("score_maximum", sa.Float(), nullable=False),
        sa.Column("lineitem_url", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("score_maximum > 0", name=op.f("ck_grade_column_score_maximum")),
        sa.ForeignKeyConstraint(
            ["placement_id"], ["placement.id"], name=op.f("fk_grade_column_placement_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grade_column")),
        sa.UniqueConstraint("placement_id", "tag", name=op.f("uq_grade_column_placement_id_tag")),
    )
    op.create_table(
        "pursuit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("placement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("alias", sa.String(length=60), nullable=False),
        sa.Column("is_test", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_pursuit_person_id")),
        sa.ForeignKeyConstraint(["placement_id"], ["placement.id"], name=op.f("fk_pursuit_placement_id")),
        sa.ForeignKeyConstraint(
            ["version_id"], ["credential_version.id"], name=op.f("fk_pursuit_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pursuit")),
        sa.UniqueConstraint("person_id", "placement_id", name=op.f("uq_pursuit_person_id_placement_id")),
    )
    with op.batch_alter_table("pursuit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_pursuit_placement_id"), ["placement_id"], unique=False)

    op.create_table(
        "attempt",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("pursuit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=30), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column(
            "locked_parts",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
            ),
            nullable=False,
        ),
        sa.Column(
            "confirmed_statements",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
            ),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("incomplete_because", sa.Text(), server_default="", nullable=False),
        sa.Column("readings_differ", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.CheckConstraint(
            "state IN ('draft', 'submitted', 'checking', 'in_review', 'second_review', 'adjudication', 'recommended', 'revisions_requested', 'returned_to_reviewer', 'awarded', 'denied', 'withdrawn', 'appeal_open', 'upheld', 'revoked', 'expired')",
            name=op.f("ck_attempt_state"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'withdrawn') OR submitted_at IS NOT NULL",
            name=op.f("ck_attempt_submitted_at"),
        ),
        sa.CheckConstraint("number >= 1", name=op.f("ck_attempt_number")),
        sa.ForeignKeyConstraint(["pursuit_id"], ["pursuit.id"], name=op.f("fk_attempt_pursuit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt")),
        sa.UniqueConstraint("public_id", name=op.f("uq_attempt_public_id")),
        sa.UniqueConstraint("pursuit_id", "number", name=op.f("uq_attempt_pursuit_id_number")),
    )
    with op.batch_alter_table("attempt", schema=None) as batch_op:
        batch_op.create_index("ix_attempt_state_decision_due_at", ["state", "decision_due_at"], unique=False)
        batch_op.create_index(
            "uq_attempt_open",
            ["pursuit_id"],
            unique=True,
            sqlite_where=sa.text(
                "state NOT IN ('revisions_requested', 'awarded', 'denied', 'upheld', 'revoked', 'expired', 'appeal_open', 'withdrawn')"
            ),
            postgresql_where=sa.text(
                "state NOT IN ('revisions_requested', 'awarded', 'denied', 'upheld', 'revoked', 'expired', 'appeal_open', 'withdrawn')"
            ),
        )

    op.create_table(
        "evidence_permission",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("pursuit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("student_code", sa.String(length=10), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("basis", sa.String(length=20), nullable=False),
        sa.Column("form_key", sa.String(length=200), nullable=True),
        sa.Column("form_name", sa.String(length=300), nullable=True),
        sa.Column("form_type", sa.String(length=120), nullable=True),
        sa.Column("form_size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_because", sa.String(length=20), nullable=True),
        sa.CheckConstraint(
            "(basis = 'form') = (form_key IS NOT NULL)", name=op.f("ck_evidence_permission_form_is_stored")
        ),
        sa.CheckConstraint("basis IN ('attested', 'form')", name=op.f("ck_evidence_permission_basis")),
        sa.CheckConstraint(
            "ended_because IS NULL OR ended_because IN ('withdrawn', 'expired', 'replaced', 'infected')",
            name=op.f("ck_evidence_permission_ended_because"),
        ),
        sa.CheckConstraint(
            "(form_key IS NULL) = (form_name IS NULL) AND (form_key IS NULL) = (form_type IS NULL) AND (form_key IS NULL) = (form_size IS NULL)",
            name=op.f("ck_evidence_permission_form"),
        ),
        sa.CheckConstraint(
            "(withdrawn_at IS NULL) = (ended_because IS NULL)", name=op.f("ck_evidence_permission_ended")
        ),
        sa.ForeignKeyConstraint(
            ["form_key"], ["evidence_file.storage_key"], name=op.f("fk_evidence_permission_form_key")
        ),
        sa.ForeignKeyConstraint(
            ["pursuit_id"], ["pursuit.id"], name=op.f("fk_evidence_permission_pursuit_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence_permission")),
        sa.UniqueConstraint("public_id", name=op.f("uq_evidence_permission_public_id")),
    )
    with op.batch_alter_table("evidence_permission", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_evidence_permission_form_key"), ["form_key"], unique=False)
        batch_op.create_index("ix_evidence_permission_pursuit", ["pursuit_id", "id"], unique=False)
        batch_op.create_index(
            "uq_evidence_permission_standing",
            ["pursuit_id", "student_code", "kind"],
            unique=True,
            sqlite_where=sa.text("withdrawn_at IS NULL"),
            postgresql_where=sa.text("withdrawn_at IS NULL"),
        )

    op.create_table(
        "line_item_claim",
        sa.Column("column_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["column_id"], ["grade_column.id"], name=op.f("fk_line_item_claim_column_id")
        ),
        sa.PrimaryKeyConstraint("column_id", name=op.f("pk_line_item_claim")),
    )
    op.create_table(
        "review_conflict",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reviewer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pursuit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("declared_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["pursuit_id"], ["pursuit.id"], name=op.f("fk_review_conflict_pursuit_id")),
        sa.ForeignKeyConstraint(["reviewer_id"], ["person.id"], name=op.f("fk_review_conflict_reviewer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_conflict")),
        sa.UniqueConstraint(
            "reviewer_id", "pursuit_id", name=op.f("uq_review_conflict_reviewer_id_pursuit_id")
        ),
    )
    with op.batch_alter_table("review_conflict", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_review_conflict_pursuit_id"), ["pursuit_id"], unique=False)

    op.create_table(
        "score_line",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("column_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("identity_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lineitem_url", sa.Text(), nullable=True),
        sa.Column("last_stamp", sa.DateTime(timezone=True), nullable=True),
        sa.Column("row_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["column_id"], ["grade_column.id"], name=op.f("fk_score_line_column_id")),
        sa.ForeignKeyConstraint(["identity_id"], ["lms_identity.id"], name=op.f("fk_score_line_identity_id")),
        sa.ForeignKeyConstraint(
            ["row_id"], ["outbox.id"], name=op.f("fk_score_line_row_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_score_line")),
        sa.UniqueConstraint("column_id", "identity_id", name=op.f("uq_score_line_column_id_identity_id")),
    )
    with op.batch_alter_table("score_line", schema=None) as batch_op:
        batch_op.create_index("ix_score_line_identity_id", ["identity_id"], unique=False)

    op.create_table(
        "teacher_request",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pursuit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("issuer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('coaching', 'renewal')", name=op.f("ck_teacher_request_kind")),
        sa.CheckConstraint(
            "(answered_at IS NULL) = (answered_by_id IS NULL)", name=op.f("ck_teacher_request_answered")
        ),
        sa.ForeignKeyConstraint(
            ["answered_by_id"], ["person.id"], name=op.f("fk_teacher_request_answered_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id"], ["organization.id"], name=op.f("fk_teacher_request_issuer_id")
        ),
        sa.ForeignKeyConstraint(["pursuit_id"], ["pursuit.id"], name=op.f("fk_teacher_request_pursuit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_teacher_request")),
    )
    with op.batch_alter_table("teacher_request", schema=None) as batch_op:
        batch_op.create_index("ix_teacher_request_issuer", ["issuer_id", "answered_at", "id"], unique=False)
        batch_op.create_index(
            "uq_teacher_request_open",
            ["pursuit_id", "kind"],
            unique=True,
            sqlite_where=sa.text("answered_at IS NULL"),
            postgresql_where=sa.text("answered_at IS NULL"),
        )

    op.create_table(
        "anchor",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("attempt_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("credential_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "agreed",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
            ),
            nullable=False,
        ),
        sa.Column(
            "reasons",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
            ),
            nullable=False,
        ),
        sa.Column("marked_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("marked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempt.id"], name=op.f("fk_anchor_attempt_id")),
        sa.ForeignKeyConstraint(["credential_id"], ["credential.id"], name=op.f("fk_anchor_credential_id")),
        sa.ForeignKeyConstraint(["marked_by_id"], ["person.id"], name=op.f("fk_anchor_marked_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_anchor")),
        sa.UniqueConstraint("attempt_id", name=op.f("uq_anchor_attempt_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_anchor_public_id")),
    )
    with op.batch_alter_table("anchor", schema=None) as batch_op:
        batch_op.create_index(
            "ix_anchor_credential_retired_at", ["credential_id", "retired_at"], unique=False
        )

    op.create_table(
        "evidence_item",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("attempt_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("part_id", sa.String(length=60), nullable=False),
        sa.Column("requirement_id", sa.String(length=60), nullable=False),
        sa.Column("student_code", sa.String(length=10), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("caption", sa.String(length=300), nullable=False),
        sa.Column("file_name", sa.String(length=300), nullable=True),
        sa.Column("media_type", sa.String(length=120), nullable=True),
        sa.Column("type_group", sa.String(length=20), nullable=True),
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("storage_key", sa.String(length=200), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("transcript", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hidden_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(kind = 'file') = (storage_key IS NOT NULL)", name=op.f("ck_evidence_item_file_is_stored")
        ),
        sa.CheckConstraint("(kind = 'link') = (url IS NOT NULL)", name=op.f("ck_evidence_item_link_has_url")),
        sa.CheckConstraint("kind IN ('file', 'link')", name=op.f("ck_evidence_item_kind")),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempt.id"], name=op.f("fk_evidence_item_attempt_id")),
        sa.ForeignKeyConstraint(
            ["storage_key"], ["evidence_file.storage_key"], name=op.f("fk_evidence_item_storage_key")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence_item")),
        sa.UniqueConstraint("public_id", name=op.f("uq_evidence_item_public_id")),
    )
    with op.batch_alter_table("evidence_item", schema=None) as batch_op:
        batch_op.create_index(
            "ix_evidence_item_attempt_requirement", ["attempt_id", "requirement_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_evidence_item_storage_key"), ["storage_key"], unique=False)

    op.create_table(
        "evidence_upload",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("attempt_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("part_id", sa.String(length=60), nullable=False),
        sa.Column("requirement_id", sa.String(length=60), nullable=False),
        sa.Column("file_name", sa.String(length=300), nullable=False),
        sa.Column("caption", sa.String(length=300), server_default="", nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("length", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("received", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("problem", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("touched_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(state = 'refused') = (problem <> '')", name=op.f("ck_evidence_upload_problem")),
        sa.CheckConstraint(
            "state <> 'joining' OR received = length", name=op.f("ck_evidence_upload_joining_is_whole")
        ),
        sa.CheckConstraint(
            "state IN ('receiving', 'joining', 'refused')", name=op.f("ck_evidence_upload_state")
        ),
        sa.CheckConstraint(
            "length > 0 AND received >= 0 AND received <= length", name=op.f("ck_evidence_upload_received")
        ),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempt.id"], name=op.f("fk_evidence_upload_attempt_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_evidence_upload_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence_upload")),
        sa.UniqueConstraint("public_id", name=op.f("uq_evidence_upload_public_id")),
    )
    with op.batch_alter_table("evidence_upload", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_evidence_upload_person_id"), ["person_id"], unique=False)
        batch_op.create_index("ix_evidence_upload_touched_at", ["touched_at"], unique=False)
        batch_op.create_index(
            "uq_evidence_upload_fingerprint",
            ["attempt_id", "requirement_id", "fingerprint"],
            unique=True,
            sqlite_where=sa.text("state = 'receiving'"),
            postgresql_where=sa.text("state = 'receiving'"),
        )

    op.create_table(
        "names_check",
        sa.Column("attempt_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("roster", sa.String(length=10), nullable=False),
        sa.Column(
            "findings",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
            ),
            nullable=False,
        ),
        sa.Column(
            "unread",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
            ),
            nullable=False,
        ),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(roster = 'waiting') = (checked_at IS NULL)", name=op.f("ck_names_check_checked_at")
        ),
        sa.CheckConstraint(
            "roster IN ('waiting', 'whole', 'part', 'none')", name=op.f("ck_names_check_roster")
        ),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempt.id"], name=op.f("fk_names_check_attempt_id")),
        sa.PrimaryKeyConstraint("attempt_id", name=op.f("pk_names_check")),
    )
    op.create_table(
        "notice",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("topic", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("attempt_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("mail", sa.String(length=10), nullable=False),
        sa.Column("mail_begun_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(mail IN ('none', 'queued')) = (mail_begun_at IS NULL)", name=op.f("ck_notice_mail_begun_at")
        ),
        sa.CheckConstraint(
            "mail IN ('none', 'queued', 'begun', 'sent', 'unknown')", name=op.f("ck_notice_mail")
        ),
        sa.CheckConstraint(
            "topic IN ('my_work', 'reminders', 'reviews', 'decisions')", name=op.f("ck_notice_topic")
        ),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempt.id"], name=op.f("fk_notice_attempt_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_notice_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("person_id", "key", name=op.f("uq_notice_person_id_key")),
        sa.UniqueConstraint("public_id", name=op.f("uq_notice_public_id")),
    )
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notice_attempt_id"), ["attempt_id"], unique=False)
        batch_op.create_index("ix_notice_created_at", ["created_at"], unique=False)
        batch_op.create_index("ix_notice_person_id", ["person_id", "id"], unique=False)
        batch_op.create_index(
            "ix_notice_unread",
            ["person_id"],
            unique=False,
            sqlite_where=sa.text("read_at IS NULL"),
            postgresql_where=sa.text("read_at IS NULL"),
        )

    op.create_table(
        "response",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("attempt_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("part_id", sa.String(length=60), nullable=False),
        sa.Column("prompt_id", sa.String(length=60), nullable=False),
        sa.Column("student_code", sa.String(length=10), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("words", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempt.id"], name=op.f("fk_response_attempt_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_response")),
        sa.UniqueConstraint(
            "attempt_id",
            "prompt_id",
            "student_code",
            name=op.f("uq_response_attempt_id_prompt_id_student_code"),
        ),
    )
    op.create_table(
        "review",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("attempt_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reviewer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recommendation", sa.String(length=20), nullable=True),
        sa.Column("place", sa.String(length=10), server_default="first", nullable=False),
        sa.Column("asked_because", sa.String(length=20), nullable=True),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_because", sa.String(length=20), nullable=True),
        sa.Column("private_note", sa.Text(), nullable=False),
        sa.CheckConstraint("(place = 'first') = (asked_because IS NULL)", name=op.f("ck_review_asked")),
        sa.CheckConstraint(
            "asked_because IS NULL OR asked_because IN ('drawn', 'borderline', 'policy', 'disagreement')",
            name=op.f("ck_review_asked_because"),
        ),
        sa.CheckConstraint("place IN ('first', 'second', 'third')", name=op.f("ck_review_place")),
        sa.CheckConstraint(
            "recommendation IS NULL OR recommendation IN ('award', 'revise', 'deny')",
            name=op.f("ck_review_recommendation"),
        ),
        sa.CheckConstraint(
            "released_because IS NULL OR released_because IN ('late', 'conflict', 'came_back')",
            name=op.f("ck_review_reason"),
        ),
        sa.CheckConstraint(
            "(recommendation IS NULL) = (finished_at IS NULL)", name=op.f("ck_review_finished")
        ),
        sa.CheckConstraint(
            "(released_at IS NULL) = (released_because IS NULL)", name=op.f("ck_review_released")
        ),
        sa.CheckConstraint(
            "released_at IS NULL OR finished_at IS NULL", name=op.f("ck_review_released_or_finished")
        ),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempt.id"], name=op.f("fk_review_attempt_id")),
        sa.ForeignKeyConstraint(["reviewer_id"], ["person.id"], name=op.f("fk_review_reviewer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
        sa.UniqueConstraint("attempt_id", "reviewer_id", name=op.f("uq_review_attempt_id_reviewer_id")),
    )
    with op.batch_alter_table("review", schema=None) as batch_op:
        batch_op.create_index("ix_review_reviewer_finished_at", ["reviewer_id", "finished_at"], unique=False)

    op.create_table(
        "review_flag",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("attempt_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("raised_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint("kind IN ('copying', 'unreadable', 'concern')", name=op.f("ck_review_flag_kind")),
        sa.CheckConstraint(
            "(settled_at IS NULL) = (settled_by_id IS NULL)", name=op.f("ck_review_flag_settled")
        ),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempt.id"], name=op.f("fk_review_flag_attempt_id")),
        sa.ForeignKeyConstraint(["raised_by_id"], ["person.id"], name=op.f("fk_review_flag_raised_by_id")),
        sa.ForeignKeyConstraint(["settled_by_id"], ["person.id"], name=op.f("fk_review_flag_settled_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_flag")),
    )
    with op.batch_alter_table("review_flag", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_review_flag_attempt_id"), ["attempt_id"], unique=False)

    op.create_table(
        "calibration_rating",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("round_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("anchor_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("criterion_id", sa.String(length=60), nullable=False),
        sa.Column("level", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["anchor_id"], ["anchor.id"], name=op.f("fk_calibration_rating_anchor_id")),
        sa.ForeignKeyConstraint(
            ["round_id"], ["calibration_round.id"], name=op.f("fk_calibration_rating_round_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calibration_rating")),
        sa.UniqueConstraint(
            "round_id",
            "anchor_id",
            "criterion_id",
            name=op.f("uq_calibration_rating_round_id_anchor_id_criterion_id"),
        ),
    )
    op.create_table(
        "decision",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("attempt_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("decided_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("review_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("supersedes_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('award', 'deny', 'return_to_reviewer', 'request_revisions', 'revoke', 'appeal_award', 'appeal_uphold', 'renew')",
            name=op.f("ck_decision_kind"),
        ),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempt.id"], name=op.f("fk_decision_attempt_id")),
        sa.ForeignKeyConstraint(["decided_by_id"], ["person.id"], name=op.f("fk_decision_decided_by_id")),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_decision_review_id")),
        sa.ForeignKeyConstraint(["supersedes_id"], ["decision.id"], name=op.f("fk_decision_supersedes_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
    )
    with op.batch_alter_table("decision", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_decision_attempt_id"), ["attempt_id"], unique=False)

    op.create_table(
        "evidence_upload_piece",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("upload_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("start", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("storage_key", sa.String(length=200), nullable=False),
        sa.CheckConstraint("start >= 0 AND size > 0", name=op.f("ck_evidence_upload_piece_size")),
        sa.ForeignKeyConstraint(
            ["upload_id"],
            ["evidence_upload.id"],
            name=op.f("fk_evidence_upload_piece_upload_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence_upload_piece")),
        sa.UniqueConstraint("upload_id", "start", name=op.f("uq_evidence_upload_piece_upload_id_start")),
    )
    op.create_table(
        "privacy_flag",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("attempt_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("response_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("because", sa.String(length=20), nullable=False),
        sa.Column("raised_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("because IN ('name', 'face', 'permission')", name=op.f("ck_privacy_flag_because")),
        sa.CheckConstraint(
            "(item_id IS NULL) <> (response_id IS NULL)", name=op.f("ck_privacy_flag_about_one_thing")
        ),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempt.id"], name=op.f("fk_privacy_flag_attempt_id")),
        sa.ForeignKeyConstraint(["item_id"], ["evidence_item.id"], name=op.f("fk_privacy_flag_item_id")),
        sa.ForeignKeyConstraint(["raised_by_id"], ["person.id"], name=op.f("fk_privacy_flag_raised_by_id")),
        sa.ForeignKeyConstraint(["response_id"], ["response.id"], name=op.f("fk_privacy_flag_response_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_privacy_flag")),
    )
    with op.batch_alter_table("privacy_flag", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_privacy_flag_attempt_id"), ["attempt_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_privacy_flag_item_id"), ["item_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_privacy_flag_raised_by_id"), ["raised_by_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_privacy_flag_response_id"), ["response_id"], unique=False)

    op.create_table(
        "rating",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("review_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("part_id", sa.String(length=60), nullable=False),
        sa.Column("criterion_id", sa.String(length=60), nullable=False),
        sa.Column("level", sa.String(length=40), nullable=True),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("rated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_rating_review_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rating")),
        sa.UniqueConstraint("review_id", "criterion_id", name=op.f("uq_rating_review_id_criterion_id")),
    )
    op.create_table(
        "appeal",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("attempt_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("issuer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint("(closed_at IS NULL) = (decision_id IS NULL)", name=op.f("ck_appeal_closed")),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempt.id"], name=op.f("fk_appeal_attempt_id")),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"], name=op.f("fk_appeal_decision_id")),
        sa.ForeignKeyConstraint(["issuer_id"], ["organization.id"], name=op.f("fk_appeal_issuer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appeal")),
        sa.UniqueConstraint("decision_id", name=op.f("uq_appeal_decision_id")),
    )
    with op.batch_alter_table("appeal", schema=None) as batch_op:
        batch_op.create_index("ix_appeal_issuer", ["issuer_id", "closed_at", "id"], unique=False)
        batch_op.create_index(
            "uq_appeal_open",
            ["attempt_id"],
            unique=True,
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )

    op.create_table(
        "award",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("decision_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pursuit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("issuer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("approved_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("awarded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("clock_hours", sa.Integer(), nullable=False),
        sa.Column("shows_name", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("is_test", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revocation_reason", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["approved_by_id"], ["person.id"], name=op.f("fk_award_approved_by_id")),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"], name=op.f("fk_award_decision_id")),
        sa.ForeignKeyConstraint(["issuer_id"], ["organization.id"], name=op.f("fk_award_issuer_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_award_person_id")),
        sa.ForeignKeyConstraint(["pursuit_id"], ["pursuit.id"], name=op.f("fk_award_pursuit_id")),
        sa.ForeignKeyConstraint(["version_id"], ["credential_version.id"], name=op.f("fk_award_version_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_award")),
        sa.UniqueConstraint("decision_id", name=op.f("uq_award_decision_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_award_public_id")),
    )
    with op.batch_alter_table("award", schema=None) as batch_op:
        batch_op.create_index("ix_award_issuer_id", ["issuer_id", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_award_person_id"), ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_award_pursuit_id"), ["pursuit_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_award_version_id"), ["version_id"], unique=False)

    op.create_table(
        "backpack_push",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("award_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("backpack_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=60), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state <> 'refused' OR reason IS NOT NULL", name=op.f("ck_backpack_push_refused_has_reason")
        ),
        sa.CheckConstraint(
            "state IN ('queued', 'sent', 'already_there', 'needs_reconnect', 'refused')",
            name=op.f("ck_backpack_push_state"),
        ),
        sa.ForeignKeyConstraint(["award_id"], ["award.id"], name=op.f("fk_backpack_push_award_id")),
        sa.ForeignKeyConstraint(["backpack_id"], ["backpack.id"], name=op.f("fk_backpack_push_backpack_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backpack_push")),
        sa.UniqueConstraint("award_id", "backpack_id", name=op.f("uq_backpack_push_award_id_backpack_id")),
    )
    with op.batch_alter_table("backpack_push", schema=None) as batch_op:
        batch_op.create_index(
            "ix_backpack_push_stopped",
            ["backpack_id"],
            unique=False,
            sqlite_where=sa.text("state = 'needs_reconnect'"),
            postgresql_where=sa.text("state = 'needs_reconnect'"),
        )

    op.create_table(
        "backpack_sign_in",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ticket_digest", sa.String(length=64), nullable=False),
        sa.Column("browser_digest", sa.String(length=64), nullable=True),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("host_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("award_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("sends_by_itself", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=40), nullable=True),
        sa.CheckConstraint(
            "(closed_at IS NULL) = (outcome IS NULL)", name=op.f("ck_backpack_sign_in_closed")
        ),
        sa.CheckConstraint(
            "(opened_at IS NULL) = (browser_digest IS NULL)", name=op.f("ck_backpack_sign_in_opened")
        ),
        sa.ForeignKeyConstraint(["award_id"], ["award.id"], name=op.f("fk_backpack_sign_in_award_id")),
        sa.ForeignKeyConstraint(["host_id"], ["backpack_host.id"], name=op.f("fk_backpack_sign_in_host_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_backpack_sign_in_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backpack_sign_in")),
        sa.UniqueConstraint("browser_digest", name=op.f("uq_backpack_sign_in_browser_digest")),
        sa.UniqueConstraint("ticket_digest", name=op.f("uq_backpack_sign_in_ticket_digest")),
    )
    with op.batch_alter_table("backpack_sign_in", schema=None) as batch_op:
        batch_op.create_index("ix_backpack_sign_in_person", ["person_id", "created_at"], unique=False)

    op.create_table(
        "badge",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("award_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("status_list_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("status_index", sa.Integer(), nullable=False),
        sa.Column("recipient_salt", sa.String(length=40), nullable=False),
        sa.Column("ob3", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("ob2_assertion", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("jwt", sa.Text(), nullable=True),
        sa.Column("ob2_jws", sa.Text(), nullable=True),
        sa.Column("image_key", sa.String(length=200), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(issued_at IS NULL) = (ob3 IS NULL) AND (issued_at IS NULL) = (ob2_assertion IS NULL) AND (issued_at IS NULL) = (image_key IS NULL)",
            name=op.f("ck_badge_issued_whole"),
        ),
        sa.CheckConstraint(
            "ob2_jws IS NULL OR issued_at IS NOT NULL", name=op.f("ck_badge_signed_after_issue")
        ),
        sa.CheckConstraint("status_index >= 0", name=op.f("ck_badge_status_index")),
        sa.ForeignKeyConstraint(["award_id"], ["award.id"], name=op.f("fk_badge_award_id")),
        sa.ForeignKeyConstraint(["status_list_id"], ["status_list.id"], name=op.f("fk_badge_status_list_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_badge")),
        sa.UniqueConstraint("award_id", name=op.f("uq_badge_award_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_badge_public_id")),
        sa.UniqueConstraint(
            "status_list_id", "status_index", name=op.f("uq_badge_status_list_id_status_index")
        ),
    )
    op.create_table(
        "holders_choice",
        sa.Column("award_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("shared_prompt", sa.String(length=60), nullable=True),
        sa.Column("shared_title", sa.Text(), nullable=True),
        sa.Column("shared_text", sa.Text(), nullable=True),
        sa.Column("recognised_by_email", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("shown_address_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(shared_prompt IS NULL) = (shared_title IS NULL) AND (shared_prompt IS NULL) = (shared_text IS NULL)",
            name=op.f("ck_holders_choice_shared_whole"),
        ),
        sa.ForeignKeyConstraint(["award_id"], ["award.id"], name=op.f("fk_holders_choice_award_id")),
        sa.ForeignKeyConstraint(
            ["shown_address_id"], ["contact_address.id"], name=op.f("fk_holders_choice_shown_address_id")
        ),
        sa.PrimaryKeyConstraint("award_id", name=op.f("pk_holders_choice")),
    )
    op.create_table(
        "kept_badge",
        sa.Column("award_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["award_id"], ["award.id"], name=op.f("fk_kept_badge_award_id")),
        sa.PrimaryKeyConstraint("award_id", name=op.f("pk_kept_badge")),
    )
    op.create_table(
        "wallet_offer",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("award_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("token_digest", sa.String(length=64), nullable=True),
        sa.Column("token_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("needs_code", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("wrong_codes", sa.Integer(), server_default="0", nullable=False),
        sa.Column("holder", sa.Text(), nullable=True),
        sa.CheckConstraint("(taken_at IS NULL) = (holder IS NULL)", name=op.f("ck_wallet_offer_taken")),
        sa.CheckConstraint(
            "(token_digest IS NULL) = (token_expires_at IS NULL)", name=op.f("ck_wallet_offer_token")
        ),
        sa.CheckConstraint(
            "wrong_codes >= 0 AND (needs_code OR wrong_codes = 0)", name=op.f("ck_wallet_offer_wrong_codes")
        ),
        sa.ForeignKeyConstraint(["award_id"], ["award.id"], name=op.f("fk_wallet_offer_award_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wallet_offer")),
        sa.UniqueConstraint("public_id", name=op.f("uq_wallet_offer_public_id")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_wallet_offer_token_digest")),
    )
    with op.batch_alter_table("wallet_offer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_wallet_offer_award_id"), ["award_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("wallet_offer", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_wallet_offer_award_id"))

    op.drop_table("wallet_offer")
    op.drop_table("kept_badge")
    op.drop_table("holders_choice")
    op.drop_table("badge")
    with op.batch_alter_table("backpack_sign_in", schema=None) as batch_op:
        batch_op.drop_index("ix_backpack_sign_in_person")

    op.drop_table("backpack_sign_in")
    with op.batch_alter_table("backpack_push", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_backpack_push_stopped",
            sqlite_where=sa.text("state = 'needs_reconnect'"),
            postgresql_where=sa.text("state = 'needs_reconnect'"),
        )

    op.drop_table("backpack_push")
    with op.batch_alter_table("award", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_award_version_id"))
        batch_op.drop_index(batch_op.f("ix_award_pursuit_id"))
        batch_op.drop_index(batch_op.f("ix_award_person_id"))
        batch_op.drop_index("ix_award_issuer_id")

    op.drop_table("award")
    with op.batch_alter_table("appeal", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_appeal_open",
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )
        batch_op.drop_index("ix_appeal_issuer")

    op.drop_table("appeal")
    op.drop_table("rating")
    with op.batch_alter_table("privacy_flag", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_privacy_flag_response_id"))
        batch_op.drop_index(batch_op.f("ix_privacy_flag_raised_by_id"))
        batch_op.drop_index(batch_op.f("ix_privacy_flag_item_id"))
        batch_op.drop_index(batch_op.f("ix_privacy_flag_attempt_id"))

    op.drop_table("privacy_flag")
    op.drop_table("evidence_upload_piece")
    with op.batch_alter_table("decision", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_decision_attempt_id"))

    op.drop_table("decision")
    op.drop_table("calibration_rating")
    with op.batch_alter_table("review_flag", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_review_flag_attempt_id"))

    op.drop_table("review_flag")
    with op.batch_alter_table("review", schema=None) as batch_op:
        batch_op.drop_index("ix_review_reviewer_finished_at")

    op.drop_table("review")
    op.drop_table("response")
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_notice_unread",
            sqlite_where=sa.text("read_at IS NULL"),
            postgresql_where=sa.text("read_at IS NULL"),
        )
        batch_op.drop_index("ix_notice_person_id")
        batch_op.drop_index("ix_notice_created_at")
        batch_op.drop_index(batch_op.f("ix_notice_attempt_id"))

    op.drop_table("notice")
    op.drop_table("names_check")
    with op.batch_alter_table("evidence_upload", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_evidence_upload_fingerprint",
            sqlite_where=sa.text("state = 'receiving'"),
            postgresql_where=sa.text("state = 'receiving'"),
        )
        batch_op.drop_index("ix_evidence_upload_touched_at")
        batch_op.drop_index(batch_op.f("ix_evidence_upload_person_id"))

    op.drop_table("evidence_upload")
    with op.batch_alter_table("evidence_item", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_evidence_item_storage_key"))
        batch_op.drop_index("ix_evidence_item_attempt_requirement")

    op.drop_table("evidence_item")
    with op.batch_alter_table("anchor", schema=None) as batch_op:
        batch_op.drop_index("ix_anchor_credential_retired_at")

    op.drop_table("anchor")
    with op.batch_alter_table("teacher_request", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_teacher_request_open",
            sqlite_where=sa.text("answered_at IS NULL"),
            postgresql_where=sa.text("answered_at IS NULL"),
        )
        batch_op.drop_index("ix_teacher_request_issuer")

    op.drop_table("teacher_request")
    with op.batch_alter_table("score_line", schema=None) as batch_op:
        batch_op.drop_index("ix_score_line_identity_id")

    op.drop_table("score_line")
    with op.batch_alter_table("review_conflict", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_review_conflict_pursuit_id"))

    op.drop_table("review_conflict")
    op.drop_table("line_item_claim")
    with op.batch_alter_table("evidence_permission", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_evidence_permission_standing",
            sqlite_where=sa.text("withdrawn_at IS NULL"),
            postgresql_where=sa.text("withdrawn_at IS NULL"),
        )
        batch_op.drop_index("ix_evidence_permission_pursuit")
        batch_op.drop_index(batch_op.f("ix_evidence_permission_form_key"))

    op.drop_table("evidence_permission")
    with op.batch_alter_table("attempt", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_attempt_open",
            sqlite_where=sa.text(
                "state NOT IN ('revisions_requested', 'awarded', 'denied', 'upheld', 'revoked', 'expired', 'appeal_open', 'withdrawn')"
            ),
            postgresql_where=sa.text(
                "state NOT IN ('revisions_requested', 'awarded', 'denied', 'upheld', 'revoked', 'expired', 'appeal_open', 'withdrawn')"
            ),
        )
        batch_op.drop_index("ix_attempt_state_decision_due_at")

    op.drop_table("attempt")
    with op.batch_alter_table("pursuit", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_pursuit_placement_id"))

    op.drop_table("pursuit")
    op.drop_table("grade_column")
    with op.batch_alter_table("placement", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_placement_version_id"))
        batch_op.drop_index(batch_op.f("ix_placement_stack_version_id"))
        batch_op.drop_index(batch_op.f("ix_placement_reviewer_pool_id"))
        batch_op.drop_index("ix_placement_context")

    op.drop_table("placement")
    with op.batch_alter_table("launch", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_launch_registration_id"))
        batch_op.drop_index("ix_launch_person_context")
        batch_op.drop_index("ix_launch_created_at")
        batch_op.drop_index(batch_op.f("ix_launch_context_id"))

    op.drop_table("launch")
    with op.batch_alter_table("resource_link", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_resource_link_context_id"))

    op.drop_table("resource_link")
    with op.batch_alter_table("lti_notice", schema=None) as batch_op:
        batch_op.drop_index("ix_lti_notice_received_at")
        batch_op.drop_index(batch_op.f("ix_lti_notice_context_id"))

    op.drop_table("lti_notice")
    with op.batch_alter_table("course_staff", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_course_staff_identity_id"))

    op.drop_table("course_staff")
    op.drop_table("endorsement")
    with op.batch_alter_table("credential_draft", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_credential_draft_written_by_id"))
        batch_op.drop_index(batch_op.f("ix_credential_draft_signed_by_id"))
        batch_op.drop_index("ix_credential_draft_issuer")

    op.drop_table("credential_draft")
    op.drop_table("context")
    with op.batch_alter_table("saved_comment", schema=None) as batch_op:
        batch_op.drop_index("ix_saved_comment_reviewer_credential")

    op.drop_table("saved_comment")
    with op.batch_alter_table("reviewer_pool_member", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_reviewer_pool_member_person_id"))

    op.drop_table("reviewer_pool_member")
    op.drop_table("noted_host")
    with op.batch_alter_table("lms_identity", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_lms_identity_person_id"))

    op.drop_table("lms_identity")
    with op.batch_alter_table("deployment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_deployment_organization_id"))

    op.drop_table("deployment")
    with op.batch_alter_table("credential_version", schema=None) as batch_op:
        batch_op.drop_index("ix_credential_version_state_title")
        batch_op.drop_index(batch_op.f("ix_credential_version_code"))

    op.drop_table("credential_version")
    with op.batch_alter_table("calibration_round", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_calibration_round_open",
            sqlite_where=sa.text("finished_at IS NULL"),
            postgresql_where=sa.text("finished_at IS NULL"),
        )
        batch_op.drop_index("ix_calibration_round_standing")

    op.drop_table("calibration_round")
    with op.batch_alter_table("status_list", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_status_list_organization_id"))

    op.drop_table("status_list")
    with op.batch_alter_table("role_grant", schema=None) as batch_op:
        batch_op.drop_index("ix_role_grant_person_role")
        batch_op.drop_index("ix_role_grant_organization_role")

    op.drop_table("role_grant")
    op.drop_table("reviewer_pool")
    with op.batch_alter_table("registration", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_registration_issuer_client_id_alone",
            sqlite_where=sa.text("NOT separate_site AND state <> 'pending'"),
            postgresql_where=sa.text("NOT separate_site AND state <> 'pending'"),
        )
        batch_op.drop_index(batch_op.f("ix_registration_source"))
        batch_op.drop_index(batch_op.f("ix_registration_organization_id"))
        batch_op.drop_index("ix_registration_issuer_client_id")

    op.drop_table("registration")
    with op.batch_alter_table("one_time_link", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_one_time_link_person_id"))

    op.drop_table("one_time_link")
    op.drop_table("notice_choice")
    op.drop_table("lti_invitation")
    op.drop_table("link_code")
    with op.batch_alter_table("issuer_key", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_issuer_key_current",
            sqlite_where=sa.text("retired_at IS NULL"),
            postgresql_where=sa.text("retired_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_issuer_key_organization_id"))

    op.drop_table("issuer_key")
    op.drop_table("imported_badge")
    with op.batch_alter_table("erase_request", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_erase_request_open",
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_erase_request_person_id"))

    op.drop_table("erase_request")
    with op.batch_alter_table("desk_session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_desk_session_person_id"))

    op.drop_table("desk_session")
    with op.batch_alter_table("credential", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_credential_issuer_id"))

    op.drop_table("credential")
    op.drop_table("contact_address")
    op.drop_table("backpack")
    with op.batch_alter_table("audit_event", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_event_subject")
        batch_op.drop_index(batch_op.f("ix_audit_event_at"))
        batch_op.drop_index(batch_op.f("ix_audit_event_actor_id"))

    op.drop_table("audit_event")
    with op.batch_alter_table("used_handover", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_used_handover_expires_at"))

    op.drop_table("used_handover")
    op.drop_table("tool_key")
    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_person_merged_into_id"))

    op.drop_table("person")
    with op.batch_alter_table("outbox_worker", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_outbox_worker_seen_at"))

    op.drop_table("outbox_worker")
    op.drop_table("outbox_destination")
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_index("ix_outbox_subject")
        batch_op.drop_index("ix_outbox_state")
        batch_op.drop_index("ix_outbox_order")
        batch_op.drop_index("ix_outbox_finished_at")

    op.drop_table("outbox")
    op.drop_table("organization")
    with op.batch_alter_table("evidence_file", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_evidence_file_original",
            sqlite_where=sa.text("view_key IS NOT NULL AND original_gone_at IS NULL"),
            postgresql_where=sa.text("view_key IS NOT NULL AND original_gone_at IS NULL"),
        )

    op.drop_table("evidence_file")
    op.drop_table("catalogue")
    op.drop_table("backpack_host")
