"""Bounds of this process, set before a model's file is opened: memory, files, and no network."""

import sys
import zipfile

from refusal import Refusal

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


def check_unpacked(path, memory_mb):
    """Raises Refusal for a zip file, or one among a folder's weights, that would fill the memory when it is unpacked."""
    for file in [path] if path.is_file() else path.glob("*.bin"):
        if not zipfile.is_zipfile(file):
            continue
        with zipfile.ZipFile(file) as opened:
            size = sum(entry.file_size for entry in opened.infolist())
        if size > memory_mb * 1024**2:
            raise Refusal(
                f"{file.name} has {size // 1024**2:,} MB when it is unpacked, which is more than {memory_mb} MB of memory. If it is that large, allow more with --memory."
            )


def _refuse(event, _arguments):
    if event.startswith("socket."):
        raise PermissionError("This process has no network.")
    if event in ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty"):
        raise PermissionError("This process starts no others.")
