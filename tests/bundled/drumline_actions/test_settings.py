"""Settings of the system on a disposable host: time zone, languages, modules, alternatives, limits, jobs, SELinux."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from support.checking import checked
from support.compared import Reference, Use
from support.needs import need

from drumline.plugin import ActionFailed, Platform
from drumline.testing import ActionHost
from drumline.testing.cases import ActionCases, Case, here

PROGRAMS = Path(__file__).with_name("programs")


def test_a_time_zone(disposable: ActionHost) -> None:
    disposable.run("ln -sf /usr/share/zoneinfo/Etc/UTC /etc/localtime; echo Etc/UTC >/etc/timezone; rm -f /etc/adjtime")
    assert checked(disposable, "timezone", name="Europe/Berlin", hwclock="local")
    disposable.run("grep -qx Etc/UTC /etc/timezone && ! test -e /etc/adjtime")
    made = disposable.twice("timezone", name="Europe/Berlin")
    assert made.diff == {"before": {"name": "Etc/UTC"}, "after": {"name": "Europe/Berlin"}}
    disposable.run("grep -qx Europe/Berlin /etc/timezone && TZ= ls -l /etc/localtime | grep -q Europe/Berlin")
    disposable.twice("timezone", hwclock="local")
    disposable.twice("timezone", hwclock="UTC")
    with pytest.raises(ActionFailed, match='given timezone "Nowhere" is not available'):
        disposable("timezone", name="Nowhere")


def test_locales(disposable: ActionHost) -> None:
    need("locale-gen")
    disposable.run("printf '# de_AT ISO-8859-1\\n# de_AT.UTF-8 UTF-8\\n' >/etc/locale.gen")
    assert checked(disposable, "locale_gen", name=["de_AT.UTF-8"])
    disposable.run("! grep -q '^de' /etc/locale.gen")
    made = disposable.twice("locale_gen", name=["de_AT.UTF-8"])
    assert made.values == {"name": ["de_AT.UTF-8"], "ubuntu_mode": False, "mechanism": "glibc"}
    disposable.run("locale -a | grep -qx de_AT.utf8 && grep -qx '# de_AT ISO-8859-1' /etc/locale.gen")
    disposable.twice("locale_gen", name=["de_AT.UTF-8"], state="absent")
    disposable.run("! locale -a | grep -qx de_AT.utf8")
    with pytest.raises(ActionFailed, match="not available on your system: xx_XX"):
        disposable("locale_gen", name=["xx_XX"])


def test_modules_of_the_kernel(disposable: ActionHost) -> None:
    disposable.run("mkdir -p /etc/modules-load.d /etc/modprobe.d; rm -f /etc/modules-load.d/* /etc/modprobe.d/*")
    assert not disposable("modprobe", name="loop").changed  # which is a part of the kernel, or loaded
    loop = {"name": "loop", "params": "max_loop=9"}
    assert checked(disposable, "modprobe", **loop, persistent="present")
    disposable.run("! test -e /etc/modules-load.d/loop.conf")
    disposable.twice("modprobe", **loop, persistent="present")
    disposable.run("grep -qx loop /etc/modules-load.d/loop.conf")
    disposable.run("grep -qx 'options loop max_loop=9' /etc/modprobe.d/loop.conf")
    disposable.twice("modprobe", name="loop", params="max_loop=8", persistent="present")
    disposable.twice("modprobe", name="loop", persistent="absent")
    disposable.run("grep -qx '#loop' /etc/modules-load.d/loop.conf && ! grep -q '^options' /etc/modprobe.d/loop.conf")
    assert not disposable("modprobe", name="no-such", state="absent").changed
    with pytest.raises(ActionFailed, match="modprobe"):
        disposable("modprobe", name="no-such")


def test_alternatives(disposable: ActionHost) -> None:
    if shutil.which("update-alternatives") is None:
        pytest.skip("there is no update-alternatives")
    shop = {"name": "drumline-shop", "link": "/usr/bin/drumline-shop", "path": "/usr/bin/sed", "priority": 20}
    assert checked(disposable, "alternatives", **shop)
    disposable.run("! test -e /usr/bin/drumline-shop")
    made = disposable.twice("alternatives", **shop)
    assert made.message == (
        "Install alternative '/usr/bin/sed' for 'drumline-shop'. Set alternative '/usr/bin/sed' for 'drumline-shop'."
    )
    other = {"name": "drumline-shop", "path": "/usr/bin/grep"}
    follower = {"name": "drumline-man", "link": "/usr/bin/drumline-man", "path": "/usr/bin/tar"}
    disposable.twice("alternatives", **other, state="present", subcommands=[follower])
    disposable.run("readlink -f /usr/bin/drumline-shop | grep -q sed")
    disposable.twice("alternatives", **other)
    disposable.run("readlink -f /usr/bin/drumline-shop | grep -q grep && test -e /usr/bin/drumline-man")
    disposable.twice("alternatives", **other, state="auto")
    disposable.twice("alternatives", **other, state="absent")
    disposable.run("readlink -f /usr/bin/drumline-shop | grep -q sed && ! test -e /usr/bin/drumline-man")
    with pytest.raises(ActionFailed, match="missing the link"):
        disposable("alternatives", name="drumline-none", path="/usr/bin/sed")


def test_jobs_for_later(disposable: ActionHost) -> None:
    need("at")
    later = {"command": "true once", "count": 50, "units": "minutes"}
    assert checked(disposable, "at", **later)
    assert disposable("at", **later, unique=True).changed
    assert not disposable("at", **later, unique=True).changed
    assert disposable("at", **later).changed
    disposable.twice("at", command="true once", state="absent")
    disposable.run("test -z \"$(atq)\"; echo 'true more' >/opt/more")
    disposable.twice("at", script_file="/opt/more", count=1, units="weeks", unique=True)
    disposable("at", script_file="/opt/more", state="absent")
    with pytest.raises(ActionFailed, match="missing: count, units"):
        disposable("at", command="true")


LIMIT = {"domain": "joe", "limit_type": "soft", "limit_item": "nofile", "dest": here("f")}


class TestPamLimits(ActionCases):
    action = "pam_limits"
    platforms = (Platform.POSIX,)
    round_trips = 1
    cases = (
        Case(
            "a limit is added",
            {**LIMIT, "value": "100", "comment": "shop"},
            before={"f": "# limits\n"},
            changed=True,
            message="joe\tsoft\tnofile\t100\t#shop\n",
            after={"f": "# limits\njoe\tsoft\tnofile\t100\t#shop\n"},
        ),
        Case(
            "it is changed in its place",
            {**LIMIT, "value": "unlimited"},
            before={"f": "joe soft nofile 10 # x\nann soft nofile 10\n"},
            changed=True,
            after={"f": "joe\tsoft\tnofile\tunlimited\nann soft nofile 10\n"},
        ),
        Case(
            "the value that it has", {**LIMIT, "value": "10"}, before={"f": "joe soft nofile 10 # x\n"}, changed=False
        ),
        Case(
            "a greater one stays",
            {**LIMIT, "value": "5", "use_max": True},
            before={"f": "joe soft nofile unlimited\n"},
            changed=False,
        ),
        Case(
            "a greater one goes",
            {**LIMIT, "value": "5", "use_min": True},
            before={"f": "joe soft nofile 7\n"},
            changed=True,
            after={"f": "joe\tsoft\tnofile\t5\n"},
        ),
        Case("no number", {**LIMIT, "value": "many"}, answers=(), failed="Value must be unlimited"),
        Case("too nice", {**LIMIT, "limit_item": "nice", "value": "20"}, answers=(), failed="-20 to 19"),
    )


ON = {"environment": {"PATH": f"{PROGRAMS / 'selinux'}:/usr/bin:/bin", "SELINUX": here()}}
CONFIG = "# SELinux\nSELINUX=enforcing\nSELINUXTYPE=targeted\n"
CONFIGURED = {"configfile": here("config"), "policy": "targeted"}


class TestSelinux(ActionCases):
    action = "selinux"
    platforms = (Platform.POSIX,)
    round_trips = 1
    cases = (
        Case(
            "permissive, now and later",
            {**CONFIGURED, "state": "permissive"},
            before={"config": CONFIG, "mode": "Enforcing\n"},
            call=ON,
            changed=True,
            values={"reboot_required": False, "policy": "targeted"},
            after={"config": CONFIG.replace("enforcing", "permissive"), "mode": "Permissive\n"},
        ),
        Case(
            "off, at the next start",
            {"configfile": here("config"), "state": "disabled"},
            before={"config": CONFIG, "mode": "Enforcing\n"},
            call=ON,
            changed=True,
            values={"reboot_required": True},
            after={"config": CONFIG.replace("enforcing", "disabled"), "mode": "Permissive\n"},
        ),
        Case(
            "as it is",
            {**CONFIGURED, "state": "enforcing"},
            before={"config": CONFIG, "mode": "Enforcing\n"},
            call=ON,
            changed=False,
        ),
        Case("no file", {**CONFIGURED, "state": "enforcing"}, call=ON, failed="Unable to find file"),
        Case("no policy", {"state": "enforcing"}, answers=(), failed="Policy is required"),
    )


class TestSeboolean(ActionCases):
    action = "seboolean"
    platforms = (Platform.POSIX,)
    round_trips = 1
    cases = (
        Case(
            "a switch is turned on, until the next start",
            {"name": "httpd_can", "state": True},
            before={"httpd_can": "off off\n"},
            call=ON,
            changed=True,
            after={"httpd_can": "on off\n"},
        ),
        Case(
            "it is on, and is to stay so",
            {"name": "httpd_can", "state": True, "persistent": True},
            before={"httpd_can": "on off\n"},
            call=ON,
            changed=True,
            after={"httpd_can": "on on\n"},
        ),
        Case("no such switch", {"name": "none", "state": True}, call=ON, failed="does not exist"),
    )


SHOP = {"target": "/srv/shop(/.*)?", "setype": "httpd_sys_content_t"}
RULE = "/srv/shop(/.*)?   all files   system_u:object_r:{}:s0\n"


class TestSefcontext(ActionCases):
    action = "sefcontext"
    platforms = (Platform.POSIX,)
    round_trips = 1
    cases = (
        Case(
            "a context is added",
            SHOP,
            before={"local": "", "policy": ""},
            call=ON,
            changed=True,
            after={"local": RULE.format("httpd_sys_content_t"), "policy": ""},
        ),
        Case(
            "it is changed",
            SHOP,
            before={"local": RULE.format("var_t"), "policy": ""},
            call=ON,
            changed=True,
            after={"local": RULE.format("httpd_sys_content_t"), "policy": ""},
        ),
        Case(
            "the policy has it",
            SHOP,
            before={"local": "", "policy": RULE.format(SHOP["setype"])},
            call=ON,
            changed=False,
        ),
        Case(
            "it goes",
            {**SHOP, "state": "absent"},
            before={"local": RULE.format("var_t"), "policy": ""},
            call=ON,
            changed=True,
            after={"local": "", "policy": ""},
        ),
        Case(
            "as another path",
            {"target": "/srv/blog", "substitute": "/var/www"},
            before={"local": "", "policy": ""},
            call=ON,
            changed=True,
            after={"local": "/srv/blog = /var/www\n", "policy": ""},
        ),
        Case("nothing to say", {"target": "/srv"}, answers=(), failed="setype, substitute"),
    )


ASKING = """#!/bin/sh
printf 'Name? '
read name
printf 'Secret? '
stty -echo 2>/dev/null
read secret
printf 'Again? '
read again
echo "Hello $name, $secret $again"
exit ${1-0}
"""


def test_questions_are_answered(ssh_session: Any) -> None:
    need("expect")
    host = ActionHost(platform=Platform.POSIX, session=ssh_session)
    with host.directory() as there:
        there.fill({"ask": ASKING})
        command = f"sh {there.at('ask')}"
        answers = {"Name\\?": 'Jo $x [y] "z" ü', "(Secret|Again)\\?": ["one", "two"]}
        made = host("expect", command=command, responses=answers)
        assert made.changed
        assert made.values["stdout"].endswith('Hello Jo $x [y] "z" ü, one two')
        assert made.values["rc"] == 0
        assert len(host.requests) == 1
        assert "two" not in host.requests[0].text  # type: ignore[union-attr]
        assert not host("expect", command=command, responses=answers, creates=there.at("ask")).changed
        with pytest.raises(ActionFailed, match="non-zero return code") as caught:
            host("expect", command=f"{command} 3", responses=answers)
        assert caught.value.values["rc"] == 3
        with pytest.raises(ActionFailed, match="No remaining responses"):
            host("expect", command=command, responses={**answers, "(Secret|Again)\\?": ["one"]})
        with pytest.raises(ActionFailed, match="command exceeded timeout"):
            host("expect", command=command, responses={"Never": ""}, timeout=1)


@pytest.mark.ansible
def test_settings_as_the_reference(disposable_reference: Reference) -> None:
    host = disposable_reference.host
    zone = {"name": "Europe/Berlin"}
    anew = "ln -sf /usr/share/zoneinfo/Etc/UTC /etc/localtime; echo Etc/UTC >/etc/timezone; atrm $(atq | cut -f1)"
    anew += "; update-alternatives --remove-all drumline-blog"
    blog = {"name": "drumline-blog", "link": "/usr/bin/drumline-blog", "path": "/usr/bin/sed"}
    uses = (
        Use("community.general.timezone", zone),
        Use("community.general.alternatives", blog),
        Use("community.general.alternatives", {**blog, "state": "present", "priority": 3}),
        Use("ansible.posix.at", {"command": "true late", "count": 3, "units": "hours", "unique": True}),
        Use("community.general.pam_limits", {**LIMIT, "dest": "/etc/security/limits.conf", "value": "9"}),
    )
    for use in uses:
        host.run(f"({anew}; sed -i /^joe/d /etc/security/limits.conf) >/dev/null 2>&1; true")
        theirs = disposable_reference.both(use)[1]
        host.run(f"({anew}; sed -i /^joe/d /etc/security/limits.conf) >/dev/null 2>&1; true")
        ours = host(use.name.rpartition(".")[2], **use.arguments)
        assert ours.changed == theirs["changed"] is True
        if use.name.endswith(("alternatives", "limits")):
            assert ours.message == theirs["msg"]
