"""Pages of operators at `/desk/`: platforms and deployments, deliveries, people, wishes to be
erased."""

from microcred.web.admin.outbox import blueprint as outbox
from microcred.web.admin.people import blueprint as people
from microcred.web.admin.platforms import blueprint as platforms
from microcred.web.admin.setting_up import blueprint as setting_up

__all__ = ["outbox", "people", "platforms", "setting_up"]
