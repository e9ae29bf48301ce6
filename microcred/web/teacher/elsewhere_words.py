"""What is said of badges from elsewhere: what was checked, and why one was not added."""

REFUSED = {
    "too_large": "This file is too large for a badge.",
    "svg_with_script": "This picture holds a program. A badge never does.",
    "not_an_svg": "This picture cannot be read safely. Bring the badge as JSON or PNG.",
    "no_badge_inside": "There is no badge inside this picture. Download it once more from where it is kept.",
    "badge_doubled": "This picture holds several badges of one kind, so it is unclear which counts.",
    "url_not_allowed": "We may not open this address. Use the https address of the badge itself.",
    "unexpected_redirect": "This address leads to another one. Use the one it ends at.",
    "not_there": "There is no badge at this address. Check it, or bring the file.",
    "nothing": "Choose a file or give an address.",
}
NOT_READABLE = "This is not an Open Badge that we can read (2.0 or 3.0; JSON, token, PNG or SVG)."
AWAY = "This address did not answer. Try again later, or bring the file."
CHECKED = {
    "holds": "The signature is its issuer's.",
    "served": "Its issuer's own address confirms it.",
    "not_revoked": "Its issuer has not revoked it.",
    "never_revoked": "Its issuer names no list of revoked badges.",
    "valid_now": "It is valid by its dates.",
    "expired": "It has expired.",
    "yours": "It names one of your confirmed addresses.",
    "another_address": "It names an e-mail address that you have not confirmed here.",
    "not_by_email": "It names its holder in a way that we cannot compare with you.",
    "key_not_found": "We could not find its issuer's key.",
    "other_terms": "It uses terms that we do not know, so its signature could not be checked.",
    "other_proof": "It is signed in a way that we cannot check.",
    "not_there": "Its own address did not answer.",
    "issuer_not_there": "Its issuer's page did not answer.",
    "status_not_there": "Its list of revoked badges did not answer.",
    "status_not_signed": "Its list of revoked badges could not be checked.",
    "other_status": "It says in a way that we do not know whether it is revoked.",
}
