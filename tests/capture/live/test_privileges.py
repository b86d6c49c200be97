"""Who the analysis runs as, and that root's rights are really gone."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from analyzer.capture.live import privileges
from analyzer.capture.live.privileges import become_with_rights, find_user, prepare_cache
from analyzer.errors import UsageError

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def test_who_is_not_root_stays_who_he_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(privileges.os, "geteuid", lambda: 65534)
    assert find_user(None) is find_user("") is find_user(pwd.getpwuid(65534).pw_name) is None
    with pytest.raises(UsageError, match="only root"):
        find_user("root")


def test_root_becomes_somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(privileges.os, "geteuid", lambda: 0)
    monkeypatch.delenv("SUDO_UID", raising=False)
    assert find_user(None) is None
    with pytest.raises(UsageError, match="does not run as root: name a user"):
        find_user("")
    with pytest.raises(UsageError, match="name another user"):
        find_user("root")
    with pytest.raises(UsageError, match="no such user"):
        find_user("nobody-at-all")
    user = find_user("nobody")
    assert user is not None
    monkeypatch.setenv("SUDO_UID", str(user.pw_uid))
    assert find_user("") == user


@needs_root
def test_nothing_of_root_is_left() -> None:
    command = (
        "import os, pwd; from analyzer.capture.live.privileges import drop_privileges; drop_privileges(pwd.getpwnam('nobody'))\n"
        "print(os.getresuid(), os.getresgid(), os.getgroups(), os.environ['HOME'])\n"
        "print([line for line in open('/proc/self/status') if line.startswith(('CapEff', 'CapPrm', 'NoNewPrivs'))])\n"
        "try: os.setuid(0)\nexcept PermissionError: print('for good')"
    )
    environment = {**os.environ, "ANALYZER_CACHE": "/nonexistent"}
    done = subprocess.run([sys.executable, "-c", command], check=True, capture_output=True, text=True, env=environment)
    user = pwd.getpwnam("nobody")
    assert done.stdout.startswith(f"{(user.pw_uid,) * 3} {(user.pw_gid,) * 3} [{user.pw_gid}] {user.pw_dir}\n")
    assert done.stdout.count("0000000000000000") == 2
    assert "NoNewPrivs:\\t1" in done.stdout
    assert done.stdout.endswith("for good\n")


@needs_root
def test_a_program_keeps_only_the_right_to_capture() -> None:
    user = pwd.getpwnam("nobody")
    done = subprocess.run(
        ["/bin/cat", "/proc/self/status"], check=True, capture_output=True, text=True, preexec_fn=become_with_rights(user, "/bin/cat")
    )
    fields = dict(line.split(":\t", 1) for line in done.stdout.splitlines() if ":\t" in line)
    assert fields["Uid"].split() == [str(user.pw_uid)] * 4
    assert int(fields["CapEff"], 16) == int(fields["CapPrm"], 16) == 1 << 12 | 1 << 13


@needs_root
def test_a_user_without_a_home_has_a_cache_of_his_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(privileges, "CACHES", tmp_path)
    monkeypatch.setenv("ANALYZER_CACHE", "")
    monkeypatch.delenv("ANALYZER_CACHE")
    user = pwd.struct_passwd(("somebody", "x", 12345, 12345, "", "/nonexistent", "/bin/false"))
    prepare_cache(user)
    folder = Path(os.environ["ANALYZER_CACHE"])
    assert folder.parent == tmp_path
    assert (folder.stat().st_uid, folder.stat().st_mode & 0o777) == (12345, 0o700)
