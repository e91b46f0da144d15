"""What the check says of an answer of the bucket, in plain words, and how that is mended."""

from __future__ import annotations

import json
from dataclasses import dataclass

import requests

SHOWN_CHARACTERS = 200
UNKNOWN_BUCKET = (
    "Either Qiniu does not know this bucket under this access key: copy --qiniu_access_key and --qiniu_bucket again. "
    "Or this machine does not reach Qiniu; a private Kodo is named by --qiniu_uc_url."
)
LOOPBACK = "Kodo can never call this server back: set --public_url to an address that Qiniu's network reaches."
MIXED = "Browsers show no picture over http on a page over https: switch HTTPS on for the bucket's domain."
DOMAIN = (
    "See that --qiniu_domain is the bucket's own domain, and that --qiniu_private says whether the bucket is private."
)
OTHER_BYTES = "--qiniu_domain belongs to another bucket, or something on the way changes pictures."
DELETE = "See that the key may delete, and --qiniu_rs_url for a private Kodo."

_UPLOADS = {
    400: "The bucket lives in another region: leave --qiniu_up_url empty, or name the right one.",
    401: "--qiniu_access_key and --qiniu_secret_key do not belong together: copy both again. If they do, set this "
    "machine's clock.",
    403: "The key may not upload to this bucket.",
    413: "The bucket has a lower limit of its own.",
    419: "Qiniu has frozen the account: see its console.",
    614: "The bucket holds another picture under this key. Try again.",
    631: "There is no such bucket: see --qiniu_bucket.",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """text: what happened. mend: what to do about it."""

    text: str
    mend: str


def of_no_answer(url: str, error: requests.RequestException) -> Verdict:
    """The bucket was not reached."""
    why = "nobody answers there"
    if isinstance(error, requests.exceptions.SSLError):
        why = "its certificate is not to be trusted"
    elif isinstance(error, requests.exceptions.Timeout):
        why = "no answer came in time"
    mend = "See that this machine reaches that address; a private Kodo is named by --qiniu_up_url."
    return Verdict(f"{url}: {why}", mend)


def of_upload(answer: requests.Response) -> Verdict:
    """The bucket refused the upload."""
    mend = _UPLOADS.get(answer.status_code, "docs/qiniu.md says what the status means; 5xx passes by itself.")
    return Verdict(f"status {answer.status_code}: {_said(answer)}", mend)


def of_callback(answer: requests.Response, url: str) -> Verdict:
    """The picture is stored, but the bucket's call was not answered as it must be."""
    status = _document(answer).get("err_code")
    if status == 401:
        text = f"the bucket called {url}, and its signature was refused there"
        mend = (
            "Another server with other keys answers at --public_url, or a proxy on the way changes the request's body."
        )
    elif isinstance(status, int) and status in range(200, 500):
        text = f"the bucket called {url}, and status {status} was answered there"
        mend = "Something else answers at --public_url: see that it leads to this server, with no page in between."
    else:
        text = f"the bucket could not reach {url}"
        mend = (
            "See that --public_url leads here from outside, through every firewall, and that its certificate is good."
        )
    return Verdict(f"the picture arrived, but {text} ({_said(answer)})", mend)


def _said(answer: requests.Response) -> str:
    """The error's own words, or the beginning of whatever was answered."""
    error = _document(answer).get("error")
    return (error if isinstance(error, str) else answer.text)[:SHOWN_CHARACTERS].replace("\n", " ")


def _document(answer: requests.Response) -> dict[str, object]:
    try:
        document = json.loads(answer.text)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
