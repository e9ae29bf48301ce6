"""An organization's rules in plain words: what each means, and the time zones to choose from."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import available_timezones


@dataclass(frozen=True)
class Rule:
    """A rule for reviewing as its page asks for it."""

    name: str
    label: str
    unit: str = ""
    """What stands behind the number; empty for a rule that holds or does not."""
    help: str = ""


@dataclass(frozen=True)
class Group:
    """Rules that belong together."""

    key: str
    title: str
    rules: tuple[Rule, ...]


GROUPS = (
    Group(
        "readers",
        "Who reads, and how often",
        (
            Rule(
                "double_score_percent",
                "Tries drawn for a second reader",
                "percent",
                "Drawn by chance; 10 to 30 is usual. Leave it empty to follow what each credential says.",
            ),
            Rule(
                "double_score_borderline",
                "Every close result gets a second reader",
                help="Close: one level in a single point decides whether it passes.",
            ),
            Rule(
                "take_percent",
                "Time in which reviewers choose their work",
                "percent",
                "Share of the time until the decision. What nobody has taken by then is given to whoever has "
                "least to read.",
            ),
            Rule(
                "outside_only",
                "Nobody reads work from their own organization",
                help="Needs reviewers who belong to different organizations.",
            ),
        ),
    ),
    Group(
        "practice",
        "Practice before reading",
        (
            Rule(
                "calibration_anchors",
                "Tries in a round of practice",
                "tries",
                "A credential with fewer tries set aside for practice asks for none.",
            ),
            Rule(
                "calibration_percent",
                "Agreement that lets a reviewer in",
                "percent",
                "Points rated exactly as agreed.",
            ),
            Rule("calibration_months", "A passed round counts for", "months"),
        ),
    ),
    Group(
        "teachers",
        "What teachers may ask for",
        (
            Rule("appeal_days", "Time to appeal", "business days", "From the decision."),
            Rule("appeal_decision_days", "Time to decide an appeal", "business days"),
            Rule(
                "coaching",
                "Offer a coach after several tries",
                help="After as many as the credential names. Teachers may always just go on.",
            ),
        ),
    ),
    Group(
        "grades",
        "Grades in your courses",
        (
            Rule(
                "zero_when_withdrawn",
                "The grade of a withdrawn award becomes 0",
                help="Otherwise the grade stays. A comment beside it says that the award was withdrawn.",
            ),
        ),
    ),
)
"""Every rule for reviewing, in the order of its page."""
LABELS = {rule.name: rule.label for group in GROUPS for rule in group.rules}

NEAREST: Mapping[str, str] = {
    "America/New_York": "Eastern time (New York)",
    "America/Chicago": "Central time (Chicago)",
    "America/Denver": "Mountain time (Denver)",
    "America/Phoenix": "Arizona (Phoenix)",
    "America/Los_Angeles": "Pacific time (Los Angeles)",
    "America/Anchorage": "Alaska (Anchorage)",
    "Pacific/Honolulu": "Hawaii (Honolulu)",
}
_CONTINENTS = (
    "Africa",
    "America",
    "Antarctica",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
)


@lru_cache
def zones() -> Mapping[str, Mapping[str, str]]:
    """IANA time zones to choose from: heading, then name and words."""
    found: dict[str, dict[str, str]] = {"United States": dict(NEAREST)}
    for name in sorted(available_timezones()):
        continent, _, place = name.partition("/")
        if continent in _CONTINENTS and place and name not in NEAREST:
            words = place.replace("_", " ").replace("/", ", ")
            found.setdefault(continent, {})[name] = words
    found["Everywhere"] = {"UTC": "UTC"}
    return found
