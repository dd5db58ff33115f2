#!/usr/bin/python3
"""underunit.py UNIT COMMAND ...: run a command under the SystemCallFilter of a unit.

A call that is not allowed ends the command, whatever error the unit answers with, so
that a try sees it. Needs the packages python3-seccomp and systemd (systemd-analyze).
"""

import os
import subprocess
import sys

import seccomp


def calls(name):
    """The system calls of a group, @system-service, or of one name."""
    if not name.startswith("@"):
        return {name}
    said = subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True)
    found = set()
    for line in said.stdout.splitlines():
        line = line.strip()
        if line and not line.startswith("#") and line != name:
            found |= calls(line)
    return found


# What a list of allowed calls begins with: systemd.exec(5).
allowed = calls("@default") | {"execve"}
with open(sys.argv[1]) as unit:
    for line in unit:
        if line.startswith("SystemCallFilter="):
            names = line.strip().split("=", 1)[1]
            for name in names.lstrip("~").split():
                allowed = allowed - calls(name) if names.startswith("~") else allowed | calls(name)
if len(allowed) < 100:
    sys.exit(f"{sys.argv[1]} has no SystemCallFilter")

rules = seccomp.SyscallFilter(defaction=seccomp.KILL_PROCESS)
for name in allowed:
    if seccomp.resolve_syscall(seccomp.Arch(), name) >= 0:  # others are of other machines
        rules.add_rule(seccomp.ALLOW, name)
rules.load()
os.execvp(sys.argv[2], sys.argv[2:])
