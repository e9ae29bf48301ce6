"""Every table of the project, loaded into one metadata; importing this module is enough."""

from grade_passback import models as grades
from lti_tool import models as lti
from microcred.badges import models as badges
from microcred.badges.backpack import models as backpacks
from microcred.badges.importing import models as imported
from microcred.badges.wallet import models as wallets
from microcred.credentials import models as credentials
from microcred.credentials import review_models as reviews
from microcred.database import Base
from microcred.outbox import models as outbox
from microcred.people import models as people
from microcred.placements import models as placements

MODULES = (
    people,
    lti,
    credentials,
    reviews,
    outbox,
    placements,
    grades,
    badges,
    backpacks,
    wallets,
    imported,
)
"""The modules that define tables, from the lowest floor up."""

metadata = Base.metadata
