"""Rows of stage 4: stream bytes in order."""

from __future__ import annotations

from analyzer.tables import row_type

# ---- RUN.marks bits
STREAM_ENDED = 1  # nothing follows: FIN reached in order, RST, or the connection is over (size may be 0)
ENDED_BY_RESET = 2  # with STREAM_ENDED: by RST
ENDED_OPEN = 4  # with STREAM_ENDED: neither FIN nor RST; the capture or the connection's time ended
FROM_ARENA = 8  # bytes came out of the assembler (out of order), position is in the arena
NOT_KEPT = 16  # bytes were seen but not kept (skipped by a framer, or cut by snaplen): position is -1, size counts them

RUN = row_type(
    "RUN",
    ("connection", "i4", "row of the connection tables"),
    ("sender", "u1", "which end sent these bytes"),
    ("marks", "u1", "bits, see above"),
    ("gap", "i8", "bytes of the stream missing just before this run"),
    ("position", "i8", "position of the bytes in memory; -1 with NOT_KEPT"),
    ("run_size", "i8", "bytes; 0 only on a run that marks the end of its stream or a gap at its end"),
    ("offset", "i8", "stream offset of the first byte (the byte after the SYN is 0)"),
    ("number", "i8", "frame that carried the bytes"),
    ("ts", "i8", "its capture time, ns"),
)

# ---- STREAM.state
NOTHING = 0  # no packet that places the stream in sequence space yet
OPEN = 1  # everything seen is delivered, no end announced: the next byte expected is the only thing to know
WAITING = 2  # blocks lie above a hole, or an end was announced that is not reached
ENDED = 3  # the run with STREAM_ENDED was emitted

# ---- STREAM.end_kind bits
FIN_SEEN = 1
RESET_SEEN = 2  # either end sent RST

# ---- why a hole was given up: index of STREAM.gaps_by_reason
REASONS = (
    ("acknowledged", "Limits.gap_acked_bytes beyond the hole were acknowledged"),
    ("waited", "its time was up, and data beyond it was acknowledged (or the other end is not in the capture at all)"),
    ("stream_budget", "more than Limits.stream_bytes waited above it"),
    ("memory_budget", "the arena or the table of blocks was full"),
    ("finished", "the connection was over"),
)
BY_ACKNOWLEDGED, BY_WAITED, BY_STREAM_BUDGET, BY_MEMORY_BUDGET, BY_FINISHED = 1, 2, 3, 4, 5  # position in REASONS + 1

LEVELS = 6  # of the skip list of blocks: one block in four reaches the next level, 4**6 blocks is what it is good for

# One per stream: row 2 * connection + sender. All zero = nothing seen. Offsets count from the byte after the SYN, or from the first
# byte seen when is_partial. Written by streams/ only.
STREAM = row_type(
    "STREAM",
    # what nearly every packet needs: 64 bytes
    ("next", "i8", "offset of the next byte to deliver: everything below was delivered or given up"),
    ("start_seq", "i8", "sequence number of offset 0, 0 .. 2**32 - 1"),
    ("acked", "i8", "highest offset the other end acknowledged (a FIN counts as one byte); a claim, seen or not"),
    ("pending_gap", "i8", "bytes given up since the last run: the gap of the next one"),
    ("highest", "i8", "end of the highest byte seen (valid while WAITING; else it is next)"),
    ("end_offset", "i8", "where the stream ends; valid with end_kind"),
    ("blocks", "i4", "blocks held above holes"),
    ("head", "i4", "BLOCK row in which the list of its blocks begins, 0 = no blocks"),
    ("state", "u1", "NOTHING, OPEN, WAITING or ENDED"),
    ("end_kind", "u1", "bits: FIN_SEEN, RESET_SEEN"),
    ("is_partial", "u1", "1: its SYN is not in the capture, offset 0 is the first byte seen"),
    ("is_conflict_acked", "u1", "1: bytes of a conflict had been acknowledged before the second copy came"),
    ("gaps", "i4", "holes given up"),
    # the rest
    ("end_number", "i8", "frame of the FIN or RST"),
    ("end_ts", "i8", "its time, ns"),
    ("buffered", "i8", "bytes held above holes, BLOCK_CHARGE added for each block"),
    ("missing_bytes", "i8", "bytes in holes given up"),
    ("gaps_by_reason", ("i4", (len(REASONS),)), "holes given up, by reason, see REASONS"),
    ("buffered_segments", "i4", "segments that came before bytes below them"),
    ("not_kept_bytes", "i8", "bytes seen but not kept: cut by the snapshot length, or not wanted by a framer"),
    ("duplicate_bytes", "i8", "bytes that had been seen or given up before (retransmissions; keep-alives left out)"),
    ("conflict_bytes", "i8", "bytes that came twice with different content, among those still held when the second copy came"),
    ("conflict_first_number", "i8", "first such pair of frames: the one that came first"),
    ("conflict_second_number", "i8", "and the one that differed"),
    ("conflicts", "i4", "ranges of such bytes"),
    ("ignored_far", "i4", "segments more than 1 GiB beyond what was seen, ignored"),
    ("ignored_syns", "i4", "SYNs with another sequence number after data, ignored"),
    ("ignored_fins", "i4", "FINs that contradict data or an earlier FIN, ignored"),
    ("ignored_resets", "i4", "RSTs more than 1 GiB away from what was seen, ignored"),
    ("ignored_checksums", "i4", "packets with a wrong transport checksum, ignored"),
    ("after_end_bytes", "i8", "payload beyond the end of the stream, ignored"),
)

# What framers want of a stream: row 2 * connection + sender. Written by messages/, read by streams/.
STREAM_WISH = row_type(
    "STREAM_WISH",
    ("skip_until", "i8", "bytes below this stream offset need not be kept: they are counted"),
    ("is_off", "u1", "1: nobody reads this stream any more: no runs, only counting"),
)

# One segment, or a piece of one, that lies above a hole; or the head of a list of them (offset -1, no bytes). Row 0 stays zero: 0 = none.
BLOCK = row_type(
    "BLOCK",
    ("offset", "i8", "stream offset of its first byte"),
    ("block_size", "i8", "bytes"),
    ("position", "i8", "position of its first byte in memory, -1 = not kept"),
    ("taken", "i8", "position of the arena block that holds it, -1 = none"),
    ("taken_size", "i8", "bytes asked of the arena"),
    ("number", "i8", "frame that carried the bytes"),
    ("ts", "i8", "its capture time, ns"),
    ("segment_start", "i8", "stream offsets of the whole segment that it is a piece of: first byte"),
    ("segment_end", "i8", "and one past its last"),
    ("levels", "i8", "levels of the skip list it is in"),
    ("following", ("i4", (LEVELS,)), "next block of each level, by offset; 0 = none (level 0 also links the free and the retired list)"),
)
