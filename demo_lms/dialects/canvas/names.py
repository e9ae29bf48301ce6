"""Canvas's own names for claims and roles."""

from __future__ import annotations

from typing import Final

EXTENSION: Final = "https://canvas.instructure.com/lti/"
SUBMISSION: Final = f"{EXTENSION}submission"
SUBMISSION_TYPE: Final = f"{EXTENSION}submission_type"
MODULE_NAME: Final = f"{EXTENSION}module_name"
PRESERVE_NAME: Final = f"{EXTENSION}preserveExistingAssignmentName"
PLACEMENT: Final = "https://www.instructure.com/placement"
PERSON_ROLE: Final = "http://purl.imsglobal.org/vocab/lis/v2/institution/person"
SYSTEM_ROLE: Final = "http://purl.imsglobal.org/vocab/lis/v2/system/person"
