"""Reviewers and the approver: who they are, and how they come to their desks."""

from tests.interop.moodle import installation

ISSUERS = ("iss-riverbend", "iss-lakeshore")
JUDGES = {
    "Remy Demo-Reviewer": "reviewer",
    "Rowan Demo-Reviewer": "reviewer",
    "Avery Demo-Approver": "approver",
}


def one_time_link(name: str) -> str:
    """A one-time link of somebody at the desk, made where nobody of that name is there yet."""
    known = [person for person in installation.command("person", "list") if person["name"] == name]
    if known:
        return str(installation.command("person", "link", f"person:{known[0]['person_id']}")["url"])
    words = ("--role", JUDGES[name], "--organization")
    invited = installation.command("person", "invite", "--name", name, *words, ISSUERS[0])
    for issuer in ISSUERS[1:]:
        installation.command("person", "appoint", f"person:{invited['person_id']}", *words, issuer)
    return str(invited["url"])
