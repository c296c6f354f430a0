"""``rpm_key``: keys whose signatures rpm trusts."""

from __future__ import annotations

import re

from drumline.plugin import Action, ActionFailed, Argument, Call, Checks, Platform, Steps, Traits
from drumline.plugin.kit import Script, ask, result_of

_RPM_KEY = Script.beside(__file__, "rpm_key")
_URL = re.compile(r"(?:https?|ftps?|file)://")
_ID = re.compile(r"(?:0x)?[0-9a-fA-F]{8,40}")


def perform(call: Call) -> Steps:
    key = call["key"].strip()
    url, path = bool(_URL.match(key)), key.startswith(("/", "~"))
    if not url and not path and not _ID.fullmatch(key):
        raise ActionFailed(f"Not a valid key {key}: it is a URL, a file of the host, or a key's identifier")
    if call["state"] == "present" and not url and not path:
        raise ActionFailed("When importing a key, a valid file must be given")
    answer = yield from ask(
        call,
        _RPM_KEY,
        main=True,
        key=key.removeprefix("0x"),
        url=url,
        identifier=not url and not path,
        state=call["state"],
        insecure="" if call["validate_certs"] else "-k",
        fingerprints=" ".join(re.sub(r"\s", "", str(one)).upper() for one in call["fingerprint"] or ()),
    )
    return result_of(answer)


ACTIONS = (
    Action(
        name="rpm_key",
        perform=perform,
        checks=Checks.FULLY,
        traits=Traits(removes=("state", "absent")),
        help="Add or remove a key that rpm trusts",
        arguments=(
            Argument(name="key", required=True, help="A URL, a file on the host, or, to remove it, its identifier"),
            Argument(name="state", default="present", choices=("absent", "present"), help="Whether it is to be there"),
            Argument(name="fingerprint", type=list, help="Refuse the key unless it has one of these fingerprints"),
            Argument(name="validate_certs", type=bool, default=True, help="Check the certificate of the URL"),
        ),
        platforms=(Platform.POSIX,),
    ),
)
