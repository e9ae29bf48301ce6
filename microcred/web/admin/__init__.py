"""Pages of operators at `/desk/`: platforms and deployments, people, wishes to be erased."""

from microcred.web.admin.people import blueprint as people
from microcred.web.admin.platforms import blueprint as platforms

__all__ = ["people", "platforms"]
