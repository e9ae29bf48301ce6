"""Every table of the project, loaded into one metadata; importing this module is enough."""

import microcred.badges.models
import microcred.credentials.models
import microcred.outbox.models
import microcred.people.models
import microcred.placements.models  # noqa: F401
from microcred.database import Base

metadata = Base.metadata
