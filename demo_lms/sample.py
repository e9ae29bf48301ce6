"""Sample courses and people of the demo. Everybody is plainly a demo person."""

from __future__ import annotations

from .platform import Platform

ORGANIZATION = "Lakeshore Unified (demo district)"

PEOPLE: tuple[tuple[str, str, str], ...] = (
    ("dana", "Dana Demo-Coordinator", "en"),
    ("terry", "Terry Demo-Teacher", "en"),
    ("amal", "Amal Demo-Teacher", "en"),
    ("robin", "Robin Demo-Teacher", "en"),
    ("linh", "Linh Đặng Demo-Teacher", "vi"),
    ("olena", "Олена Demo-Teacher", "uk"),
    ("mei", "美玲 Demo-Teacher", "zh"),
    ("yusuf", "يوسف Demo-Teacher", "ar"),
    ("zoe", "Zoë Ó Briain Demo-Teacher", "en"),
    ("tau", "Tau Demo-Assistant", "en"),
    ("moss", "Moss Demo-Mentor", "en"),
    ("test", "Demo Test-User", "en"),
)
"""Id (also the ``sub``), name, locale."""

COURSES: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    (
        "active-classrooms",
        "Active Classrooms, Fall cohort",
        "AC-FALL",
        ("terry", "amal", "robin", "linh", "olena", "yusuf", "zoe"),
    ),
    ("language-bridges", "Language Bridges across Subjects", "LB-1", ("terry", "mei", "yusuf", "linh")),
    ("new-teachers", "First Years of Teaching", "FYT", ("robin", "zoe", "olena", "amal")),
)
"""Id, title, label, learners."""

HOW = (
    "A micro-credential is earned by showing evidence from your own teaching. Open one, read what it asks, "
    "collect your evidence, and submit it. A trained reviewer reads it against a rubric."
)


def add_sample(platform: Platform) -> None:
    """Fill an empty platform with the sample people and courses."""
    for person_id, name, locale in PEOPLE:
        given, _, family = name.rpartition(" ")
        platform.add_person(
            person_id,
            name,
            given_name=given,
            family_name=family,
            email=f"{person_id}@demo.invalid",
            username=person_id,
            sourced_id=f"SIS-{person_id}",
            locale=locale,
        )
    for course_id, title, label, learners in COURSES:
        platform.add_course(course_id, title, label=label, organization=ORGANIZATION)
        platform.add_page(course_id, "How micro-credentials work", HOW, "Start here")
        platform.enrol(course_id, "dana", "Instructor")
        for person_id in learners:
            platform.enrol(course_id, person_id, "Learner")
    first = COURSES[0][0]
    platform.enrol(first, "tau", "TeachingAssistant")
    platform.enrol(first, "moss", "Mentor").mentees = ["terry"]
    platform.enrol(first, "test", "TestUser")
