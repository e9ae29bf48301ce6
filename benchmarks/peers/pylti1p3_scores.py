"""Sends scores with PyLTI1p3's own client, one after the other, and prints what it took.

Reads a JSON object on stdin: how (`request`: everything new for each score, as in a web request; `loop`: one
object per platform), count, platforms (addresses), private_key, public_key.
"""

import json
import resource
import sys
import time
from pathlib import Path

from pylti1p3.assignments_grades import AssignmentsGradesService
from pylti1p3.grade import Grade
from pylti1p3.service_connector import ServiceConnector
from pylti1p3.tool_config import ToolConfDict

CLIENT = "client-1"


def service(tool: ToolConfDict, platform: str) -> AssignmentsGradesService:
    """What `get_ags()` of a launch gives."""
    registration = tool.find_registration_by_params(platform, CLIENT)
    data = {
        "scope": ["https://purl.imsglobal.org/spec/lti-ags/scope/score"],
        "lineitem": platform + "/lineitems/1",
    }
    return AssignmentsGradesService(ServiceConnector(registration), data)


def grade(i: int) -> Grade:
    """A score."""
    made = Grade().set_score_given(i % 101).set_score_maximum(100).set_user_id(f"person-{i}")
    made = made.set_activity_progress("Completed").set_grading_progress("FullyGraded")
    return made.set_timestamp(time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()))


def cpu() -> float:
    """CPU seconds so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak_mib() -> float:
    """The most memory that this program has held."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def main() -> None:
    """Send, and print seconds, CPU seconds and MiB as JSON."""
    given = json.load(sys.stdin)
    platforms = given["platforms"]
    tool = ToolConfDict(
        {
            platform: [
                {
                    "default": True,
                    "client_id": CLIENT,
                    "auth_login_url": platform + "/auth",
                    "auth_token_url": platform + "/token",
                    "key_set_url": platform + "/jwks",
                    "deployment_ids": ["1"],
                }
            ]
            for platform in platforms
        }
    )
    for platform in platforms:
        tool.set_private_key(platform, given["private_key"], client_id=CLIENT)
        tool.set_public_key(platform, given["public_key"], client_id=CLIENT)
    kept = {platform: service(tool, platform) for platform in platforms}
    used, started = cpu(), time.monotonic()
    for i in range(given["count"]):
        platform = platforms[i % len(platforms)]
        sender = kept[platform] if given["how"] == "loop" else service(tool, platform)
        sender.put_grade(grade(i))
    seconds = time.monotonic() - started
    print(json.dumps({"seconds": seconds, "cpu": cpu() - used, "peak_mib": peak_mib()}))


if __name__ == "__main__":
    main()
