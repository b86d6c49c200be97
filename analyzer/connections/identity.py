"""Names of a connection that other tools can compute or that stay the same from run to run.

* `community_ids`: Community ID v1, seed 0 (https://github.com/corelight/community-id-spec): the same flow has the same id in every
  tool that knows it, so reports of Zeek, Suricata and this program can be joined. Of a tunnelled packet it is the innermost flow's.
* `uids`: Zeek's form, `C` and 96 bits in base 62, but computed: from the capture's id, the first packet's time, the key and the
  connection's number. The same capture gives the same uids in every run; different captures give different ones.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from analyzer.batch import Batch
from analyzer.connections import identity_kernels
from analyzer.tables import Bytes, Ints, Rows


def _scratch() -> tuple[Bytes, Bytes, Ints]:
    """Room for a message, its digest (a zero follows) and the words of SHA-1."""
    message = np.zeros(identity_kernels.MESSAGE_SIZE, np.uint8)
    return message, np.zeros(identity_kernels.DIGEST_SIZE + 1, np.uint8), np.zeros(identity_kernels.SHA1_WORDS, np.int64)


def uids(connections: Rows, rows: Ints, seed: int) -> npt.NDArray[np.uint8]:
    """The uid of each of ``rows`` as ASCII, uint8 (n, 18); ``seed`` is the id of the capture (int64)."""
    texts = np.zeros((rows.size, identity_kernels.UID_SIZE), np.uint8)
    identity_kernels.write_uids(
        connections.view(np.recarray), rows, seed, identity_kernels.BASE62, *_scratch(), np.zeros(3, np.int64), texts
    )
    return texts


def community_ids(connections: Rows, rows: Ints) -> npt.NDArray[np.uint8]:
    """Community ID of each of ``rows`` as ASCII, uint8 (n, 30)."""
    texts = np.zeros((rows.size, identity_kernels.COMMUNITY_ID_SIZE), np.uint8)
    identity_kernels.write_community_ids(connections.view(np.recarray), rows, identity_kernels.BASE64, *_scratch(), texts)
    return texts


def capture_seed(batch: Batch) -> int:
    """A number that tells captures apart and is the same in every run: from the first packet's time and bytes."""
    packet = batch.packets[0]
    content = batch.memory.data[packet.offset : packet.offset + packet.caplen].tobytes()
    return int.from_bytes(hashlib.sha256(int(packet.ts).to_bytes(8, "little") + content).digest()[:7], "little")
