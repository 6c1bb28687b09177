"""Takes from this process, for good, what reading a stranger's file never needs.

A reader's fault must stay a finding. So the process that reads has little to lose and little to misuse: no new
programs, no network, no other process to look into, bounded memory and file sizes, and writing only in one temporary
folder. What the platform cannot do is left out and named in `Confinement`, so that a report can say how it was made.

Sources: seccomp(2) and the kernel's audit architecture numbers; Landlock, kernel documentation, userspace API.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import struct
import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

MEMORY = 3 << 30
"""Address space. Much of it is only reserved: the readers themselves stay below 150 MiB."""

OPEN_FILES = 256


class Confinement(NamedTuple):
    """What could be taken away."""

    limits: bool
    """Memory, file size, open files, core dumps."""
    system_calls: bool
    """Network, new programs, other processes: refused by the kernel."""
    writes: bool
    """Writing outside of the temporary folder: refused by the kernel."""


# Numbers from the kernel's tables for each architecture. Refused: to start programs, to reach the network, to touch
# other processes, to change the system, and the calls through which these could be had under another name.
_X86_64 = {
    "socket": 41, "connect": 42, "accept": 43, "sendto": 44, "sendmsg": 46, "bind": 49, "listen": 50,
    "socketpair": 53, "fork": 57, "vfork": 58, "execve": 59, "kill": 62, "ptrace": 101, "chroot": 161,
    "mount": 165, "umount2": 166, "swapon": 167, "reboot": 169, "init_module": 175, "delete_module": 176,
    "tkill": 200, "tgkill": 234, "kexec_load": 246, "add_key": 248, "request_key": 249, "keyctl": 250,
    "unshare": 272, "accept4": 288, "perf_event_open": 298, "sendmmsg": 307, "setns": 308, "process_vm_readv": 310,
    "process_vm_writev": 311, "finit_module": 313, "kexec_file_load": 320, "bpf": 321, "execveat": 322,
    "userfaultfd": 323, "pidfd_send_signal": 424, "io_uring_setup": 425, "io_uring_enter": 426, "open_tree": 428,
    "move_mount": 429, "fsopen": 430, "pidfd_open": 434, "pidfd_getfd": 438,
}  # fmt: skip
_AARCH64 = {
    "umount2": 39, "mount": 40, "chroot": 51, "unshare": 97, "kexec_load": 104, "init_module": 105,
    "delete_module": 106, "ptrace": 117, "kill": 129, "tkill": 130, "tgkill": 131, "reboot": 142, "socket": 198,
    "socketpair": 199, "bind": 200, "listen": 201, "accept": 202, "connect": 203, "sendto": 206, "sendmsg": 211,
    "add_key": 217, "request_key": 218, "keyctl": 219, "execve": 221, "swapon": 224, "perf_event_open": 241,
    "accept4": 242, "setns": 268, "sendmmsg": 269, "process_vm_readv": 270, "process_vm_writev": 271,
    "finit_module": 273, "bpf": 280, "execveat": 281, "userfaultfd": 282, "kexec_file_load": 294,
    "pidfd_send_signal": 424, "io_uring_setup": 425, "io_uring_enter": 426, "open_tree": 428, "move_mount": 429,
    "fsopen": 430, "pidfd_open": 434, "pidfd_getfd": 438,
}  # fmt: skip
# Architecture, the refused calls, `clone`, `clone3`.
_ARCHITECTURES = {"x86_64": (0xC000003E, _X86_64, 56, 435), "aarch64": (0xC00000B7, _AARCH64, 220, 435)}

_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2
_ALLOW = 0x7FFF0000
_REFUSE = 0x00050000 | 1  # an error return, EPERM
_NOT_THERE = 0x00050000 | 38  # ENOSYS: the C library then falls back to `clone`, whose flags can be read
_CLONE_THREAD = 0x10000
_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_IF_SET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06

_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
# Execute; write file; remove folder, file; make character device, folder, file, socket, pipe, block device, link.
_LANDLOCK_WRITES = (1 << 0) | (1 << 1) | sum(1 << bit for bit in range(4, 13))
_LANDLOCK_TEMPORARY = (1 << 1) | (1 << 4) | (1 << 5) | (1 << 7) | (1 << 8)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def confine(temporary: Path, largest_file: int, *, memory: int = MEMORY) -> Confinement:
    """Give up, for this process and for good, what reading a file never needs.

    Args:
        temporary: the only folder in which files may still be made.
        largest_file: bytes that one of them may hold.
        memory: bytes of address space.
    """
    limits = _limit(largest_file, memory)
    if sys.platform != "linux":
        return Confinement(limits, system_calls=False, writes=False)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return Confinement(limits, system_calls=False, writes=False)
    writes = _refuse_writes(libc, temporary)
    return Confinement(limits, _refuse_system_calls(libc), writes)


def _limit(largest_file: int, memory: int) -> bool:
    """Set the resource limits; what the machine already holds tighter stays."""
    done = True
    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, largest_file),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
    ):
        _, hard = resource.getrlimit(kind)
        value = most if hard == resource.RLIM_INFINITY else min(most, hard)
        try:
            resource.setrlimit(kind, (value, value))
        except (OSError, ValueError):
            done = False
    return done


def _refuse_system_calls(libc: ctypes.CDLL) -> bool:
    """Have the kernel refuse the listed calls with EPERM; False where it cannot."""
    known = _ARCHITECTURES.get(os.uname().machine)
    if known is None:
        return False
    architecture, calls, clone, clone3 = known
    numbers = sorted(calls.values())
    # A classic BPF program over `struct seccomp_data`: number at 0, architecture at 4.
    steps = [(_LOAD, 0, 0, 4), (_JUMP_EQUAL, 1, 0, architecture), (_RETURN, 0, 0, _REFUSE), (_LOAD, 0, 0, 0)]
    # x86's other calling convention shares the architecture and has its own numbers, all above this one.
    steps += [(_JUMP_AT_LEAST, 0, 1, 0x40000000), (_RETURN, 0, 0, _REFUSE)]
    # A new thread may be, a new process may not: the flags are the first argument, at 16.
    steps += [(_JUMP_EQUAL, 0, 1, clone3), (_RETURN, 0, 0, _NOT_THERE), (_JUMP_EQUAL, 0, 4, clone)]
    steps += [(_LOAD, 0, 0, 16), (_JUMP_IF_SET, 0, 1, _CLONE_THREAD), (_RETURN, 0, 0, _ALLOW)]
    steps += [(_RETURN, 0, 0, _REFUSE)]
    steps += [(_JUMP_EQUAL, len(numbers) - index, 0, number) for index, number in enumerate(numbers)]
    steps += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _REFUSE)]
    code = b"".join(struct.pack("=HBBI", *step) for step in steps)
    held = ctypes.create_string_buffer(code, len(code))
    program = _Program(len(steps), ctypes.cast(held, ctypes.c_void_p))
    return bool(libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0) == 0)


def _refuse_writes(libc: ctypes.CDLL, temporary: Path) -> bool:
    """Have the kernel refuse to write or execute anything outside of one folder; False where it cannot."""
    libc.syscall.restype = ctypes.c_long
    handled = ctypes.create_string_buffer(struct.pack("=Q", _LANDLOCK_WRITES), 8)
    rules = libc.syscall(_LANDLOCK_CREATE, handled, ctypes.c_size_t(8), ctypes.c_uint32(0))
    if rules < 0:
        return False
    try:
        folder = os.open(temporary, os.O_PATH | os.O_CLOEXEC)
        try:
            rule = ctypes.create_string_buffer(struct.pack("=Qi", _LANDLOCK_TEMPORARY, folder), 12)
            if (
                libc.syscall(_LANDLOCK_ADD, ctypes.c_int(rules), ctypes.c_int(1), rule, ctypes.c_uint32(0))
                != 0
            ):
                return False
        finally:
            os.close(folder)
        return bool(libc.syscall(_LANDLOCK_RESTRICT, ctypes.c_int(rules), ctypes.c_uint32(0)) == 0)
    finally:
        with contextlib.suppress(OSError):
            os.close(rules)
