"""Bounds of this process, set before a model's file is opened: memory, files, and no network."""

import sys

FILE_BYTES = 2 * 1024**3


def bound(memory_mb, network):
    """Limits memory and files. Where no namespace keeps the network out, a hook refuses it: code that means harm gets round one."""
    import resource

    memory = memory_mb * 1024**2
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if network == "hook":
        sys.addaudithook(_refuse)


def _refuse(event, _arguments):
    if event.startswith("socket."):
        raise PermissionError("This process has no network.")
    if event in ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty"):
        raise PermissionError("This process starts no others.")
