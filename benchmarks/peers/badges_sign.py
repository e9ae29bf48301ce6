"""Signs one credential many times with a library, and prints what it took.

Reads a JSON object on stdin: library (`openvc`, `openbadgeslib`), document, seed (hex), method, created,
count.
"""

import datetime as dt
import json
import resource
import sys
import time

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from openbadgeslib.ob3.contexts import bundled_contexts
from openbadgeslib.ob3.ldp import add_data_integrity_proof
from openvc.keys import Ed25519SigningKey
from openvc.proof.data_integrity import DataIntegrityProofSuite


def cpu() -> float:
    """CPU seconds so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Sign, and say how long it took."""
    given = json.load(sys.stdin)
    document, method = given["document"], given["method"]
    created = dt.datetime.fromisoformat(given["created"])
    private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(given["seed"]))
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    contexts, suite, key = bundled_contexts(), DataIntegrityProofSuite(), Ed25519SigningKey.from_pem(pem, "k")

    def sign():
        if given["library"] == "openbadgeslib":
            return add_data_integrity_proof(document, pem, method, created=created)
        return suite.add_proof(
            document, signing_key=key, verification_method=method, created=created, extra_contexts=contexts
        )

    value = sign()["proof"]["proofValue"]
    before, started = cpu(), time.monotonic()
    for _ in range(given["count"]):
        sign()
    print(
        json.dumps(
            {
                "proof_value": value,
                "seconds": time.monotonic() - started,
                "cpu": cpu() - before,
                "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )


main()
