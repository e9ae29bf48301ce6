"""Every table of the project, loaded into one metadata; importing this module is enough."""

from grade_passback import models as grades
from lti_tool import models as lti
from microcred.badges import models as badges
from microcred.credentials import models as credentials
from microcred.database import Base
from microcred.outbox import models as outbox
from microcred.people import models as people
from microcred.placements import models as placements

MODULES = (people, lti, credentials, outbox, placements, grades, badges)
"""The modules that define tables, from the lowest floor up."""

metadata = Base.metadata
