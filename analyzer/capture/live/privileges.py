"""Rights are given up as soon as the packets can be seen: the analysis never runs as root."""

from __future__ import annotations

import ctypes
import os
import pwd
import struct
from collections.abc import Callable
from pathlib import Path

from analyzer.capture.live.interfaces import CAP_NET_ADMIN, CAP_NET_RAW
from analyzer.errors import CaptureError, UsageError

NEEDED = 1 << CAP_NET_RAW | 1 << CAP_NET_ADMIN
CACHES = Path("/var/cache")
_PR_SET_KEEPCAPS, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 8, 38, 47, 2
_CAPSET_VERSION_3 = 0x20080522


def find_user(told: str | None) -> pwd.struct_passwd | None:
    """Whose rights the analysis is to have: ``told``, else who called sudo; None when we are not root, or are to stay what we are.

    Raises:
        UsageError: there is no such user, or none can be told.
    """
    if told is None:
        return None
    if os.geteuid() != 0:
        if told and pwd.getpwuid(os.geteuid()).pw_name != told:
            raise UsageError(f"--user {told}: only root can become another user.")
        return None
    number = os.environ.get("SUDO_UID", "")
    try:
        if told:
            user = pwd.getpwnam(told)
        elif number.isdigit() and int(number):
            user = pwd.getpwuid(int(number))
        else:
            raise UsageError(
                "The analysis does not run as root: name a user whose rights it is to have with --user (who may write to the folder of -o)."
            )
    except KeyError as error:
        raise UsageError(f"--user {told or number}: there is no such user.") from error
    if user.pw_uid == 0:
        raise UsageError("The analysis does not run as root: name another user with --user.")
    return user


def _become(user: pwd.struct_passwd, more_groups: tuple[int, ...] = ()) -> None:
    groups = os.getgrouplist(user.pw_name, user.pw_gid)
    os.setgroups(sorted({*groups, *more_groups}))
    os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
    os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)


def become_with_rights(user: pwd.struct_passwd, program: str) -> Callable[[], None]:
    """What a child does before it becomes ``program``: the user's rights, and those to capture, which the program keeps."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = struct.pack("=Ii", _CAPSET_VERSION_3, 0)
    content = struct.pack("=6I", NEEDED, NEEDED, NEEDED, 0, 0, 0)
    status = Path(program).stat()
    group = (status.st_gid,) if status.st_gid else ()

    def become() -> None:
        libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
        _become(user, group)
        if libc.capset(header, content) != 0:
            raise OSError(ctypes.get_errno(), "capset")
        for number in (CAP_NET_RAW, CAP_NET_ADMIN):
            libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, number, 0, 0)

    return become


def drop_privileges(user: pwd.struct_passwd) -> None:
    """Become the user for good: no way back, no capability, also not through programs that we start.

    Raises:
        CaptureError: the system refuses.
    """
    prepare_cache(user)
    try:
        _become(user)
    except OSError as error:
        raise CaptureError(f"The rights of {user.pw_name} cannot be taken ({error.strerror}).") from error
    ctypes.CDLL(None).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    os.environ.update(HOME=user.pw_dir, USER=user.pw_name, LOGNAME=user.pw_name)
    os.environ.pop("XDG_CACHE_HOME", None)
    if os.getresuid() != (user.pw_uid,) * 3 or os.getresgid() != (user.pw_gid,) * 3:
        raise CaptureError(f"The rights of {user.pw_name} could not be taken.")


def prepare_cache(user: pwd.struct_passwd) -> None:
    """A folder for compiled kernels where the user has no home: made while we may, owned by the user alone."""
    if "ANALYZER_CACHE" in os.environ or Path(user.pw_dir).is_dir():
        return
    folder = CACHES / f"analyzer-kernels-{user.pw_name}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        os.chown(folder, user.pw_uid, user.pw_gid, follow_symlinks=False)
    except OSError:
        return  # without a cache kernels are compiled each time
    os.environ["ANALYZER_CACHE"] = str(folder)
