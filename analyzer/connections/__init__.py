"""Stage 3: decoded packets become connections.

* `tracker`    the table of connections: find or begin one for every packet, end those whose time is over
* `kernels`    its entry kernels: track, collect, finish, release, rebuild
* `key_kernels`       what makes two packets belong together, and the hash table
* `states`     the TCP state machine as a table, and conn_state (`state_kernels`)
* `tcp_kernels`       one TCP packet: sequence space, history, closing
* `gap_kernels`       which bytes of a stream are missing, by the connection's own account
* `timer_kernels`     when a connection is over
* `history_kernels`   the history string
* `identity`   uid and Community ID (`identity_kernels`)

Behaviour and words are those of Zeek's conn.log. What is ours: a TCP connection is never split because it was idle (unless
`--zeek-timeouts` asks for it), time is integer nanoseconds, and every connection has its place in the capture.
"""

from analyzer.connections.tracker import Tracker

__all__ = ["Tracker"]
