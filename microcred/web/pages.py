"""All pages together: which blueprint is on which surface."""

from flask import Flask

from microcred.web import (
    admin,
    approve,
    author,
    coordinator,
    desk,
    notices,
    organization,
    privacy,
    public,
    review,
    teacher,
)
from microcred.web.base import init_web, open_in_memory, render_refusal

__all__ = ["install", "open_in_memory", "render_refusal"]


def install(app: Flask) -> None:
    """Make `app` serve every page."""
    init_web(
        app,
        launch=[
            teacher.blueprint,
            coordinator.choosing,
            coordinator.course,
            coordinator.roles,
            coordinator.settings,
            review.blueprint,
            approve.blueprint,
            author.blueprint,
            organization.blueprint,
            notices.blueprint,
            privacy.privacy,
            privacy.linking,
        ],
        desk=[
            desk.blueprint,
            review.blueprint,
            approve.blueprint,
            author.blueprint,
            organization.blueprint,
            admin.platforms,
            admin.setting_up,
            admin.outbox,
            admin.people,
            notices.blueprint,
            privacy.privacy,
            privacy.linking,
        ],
        public=[
            public.verify,
            public.documents,
            public.backpack_window,
            public.wallets,
            public.address,
            public.mail_choice,
        ],
    )
