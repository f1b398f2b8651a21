"""What schemathesis has to know of this API: how its requests are signed, and which key it may not revoke."""

import hashlib
import hmac
import itertools
import os
import secrets
import time

import schemathesis
from requests.auth import AuthBase

KEY_ID = os.environ["WGFLEET_KEY_ID"]
KEY_NUMBER = int(os.environ["WGFLEET_KEY_NUMBER"])
SECRET = os.environ["WGFLEET_SECRET"].encode()

sources = itertools.count(1)


class Signed(AuthBase):
    """Signs the very bytes that are sent, in the form with a nonce."""

    def __call__(self, request):
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        timestamp, nonce = str(int(time.time())), secrets.token_hex(16)
        digest = hashlib.sha256(body).hexdigest()
        text = "|".join(["v2", request.method, request.path_url, digest, timestamp, nonce])
        request.headers["X-Key-Id"] = KEY_ID
        request.headers["X-Timestamp"] = timestamp
        request.headers["X-Nonce"] = nonce
        request.headers["X-Signature"] = hmac.new(SECRET, text.encode(), hashlib.sha256).hexdigest()
        return request


schemathesis.auth.set_from_requests(Signed())


@schemathesis.hook
def before_call(context, case, kwargs):
    # Failures are counted by address: many of them are the point here, so each comes from another one.
    number = next(sources)
    case.headers["X-Forwarded-For"] = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    # Whoever revokes the key that signs sees nothing but 401 from then on.
    revokes = case.method.upper() == "DELETE" and case.path == "/api/v1/api-keys/{id}"
    if revokes and str(case.path_parameters.get("id")) == str(KEY_NUMBER):
        case.path_parameters["id"] = 0
