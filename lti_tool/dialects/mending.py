"""What to change in an LMS when something between it and the tool does not work: a sentence for each trouble,
in the words that the LMS's own pages use.
"""

from collections.abc import Mapping

PLAIN: Mapping[str, str] = {
    "no_launch": "Open the tool once from a course in the LMS.",
    "keys": "The LMS's public keys cannot be read. Check the key set address of its registration here.",
    "token": (
        "The LMS does not accept our signature. Its server must be able to read our public keys;"
        " check the key set address and the client id on both sides."
    ),
    "scope": (
        "The LMS gives the tool no permission for this. Switch on its grade and roster services there."
    ),
    "no_gradebook": (
        "The last launch offered no gradebook. Switch on the grade service of the tool in the"
        " LMS, and launch again."
    ),
    "column": "The LMS did not let us make a column. Allow the tool to manage its gradebook columns.",
    "column_left": (
        "The column “{label}” was made for this check and could not be removed. Remove it in the gradebook."
    ),
    "score": "The LMS takes no scores from the tool. Allow it to send grades.",
    "no_roster": (
        "The last launch offered no list of people. Switch on the names and roles service of the"
        " tool, and launch again."
    ),
    "roster": "The LMS did not show who is in the course. Allow the tool to read names and roles.",
    "away": "The LMS did not answer. Try again in a few minutes.",
    "role": "Enrol whoever wants to earn it as a learner.",
}

CANVAS: Mapping[str, str] = {
    **PLAIN,
    "token": (
        "Canvas does not accept our signature. In Admin, Developer Keys, check that the key is On"
        " and that its JWK URL is ours."
    ),
    "scope": "In Admin, Developer Keys, edit the key and switch on all six LTI Advantage services.",
    "no_gradebook": (
        "Canvas names a gradebook only in courses, and only to a key with the assignment and"
        " grade services: switch them on in Admin, Developer Keys, and open the tool from a"
        " course."
    ),
    "column": (
        "In Admin, Developer Keys, switch on “Can create and view assignment data”. A concluded"
        " course takes none."
    ),
    "score": "In Admin, Developer Keys, switch on “Can create and update submission results”.",
    "no_roster": "In Admin, Developer Keys, switch on “Can retrieve user data”, and open the tool again.",
    "roster": "In Admin, Developer Keys, switch on “Can retrieve user data”.",
    "role": "In the course: People, the person's menu, Edit Course Roles, and make them Student.",
}

MOODLE: Mapping[str, str] = {
    **PLAIN,
    "token": (
        "Moodle does not accept our signature. Its server must reach our key set: look at Site"
        " administration, Security, HTTP security (blocked hosts and allowed ports), then at"
        " Public keyset in the tool's settings."
    ),
    "scope": (
        "In the tool's settings (Manage tools), under Services, allow grade sync and column management."
    ),
    "no_gradebook": (
        "In the tool's settings, under Services, choose “Use this service for grade sync and"
        " column management”."
    ),
    "column": (
        "In the tool's settings, under Services, choose “grade sync and column management”, not"
        " “grade sync only”."
    ),
    "score": "In the tool's settings, under Services, switch on the assignment and grade services.",
    "no_roster": (
        "Moodle shows people only in courses that use the tool already: save one activity first."
        " Else switch on Names and Role Provisioning in the tool's settings."
    ),
    "roster": "In the tool's settings, under Services, switch on IMS LTI Names and Role Provisioning.",
    "role": "In the course: Participants, and give them the role Student (a graded role).",
}

SCHOOLOGY: Mapping[str, str] = {
    **PLAIN,
    "token": (
        "Schoology does not accept our signature. Check Keyset URL in the app's options, and that"
        " all Advantage extensions are on."
    ),
    "scope": "In the app's options, switch on all three Advantage extensions.",
    "no_gradebook": (
        "Schoology names a gradebook only where the app has Assignment and Grade Services and was"
        " opened in a course. Switch the extension on, and open the tool from Course Materials."
    ),
    "no_roster": (
        "In the app's options, switch on Names and Role Provisioning Services, and open the tool again."
    ),
    "roster": "In the app's options, switch on Names and Role Provisioning Services.",
    "role": "In the course: Members, and make them members that are no course admins.",
}
