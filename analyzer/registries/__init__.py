"""Registries: numbers on the wire and their names. The first room of the house; it imports nothing of ours.

Everything here is a fact from a public registry (mostly IANA), with source and date at the head of its module. Numbers stay
numbers in all tables of the pipeline; they become names here, and only when somebody wants to read them. No function
raises: a number without a name comes back as itself (`TYPE65280`, `0x1A2B`).

* `dns`            RR types, classes, opcodes, response codes, EDNS options, extended errors, SvcParam keys
* `tls`            versions, record and handshake types, alerts, extensions, groups, signature schemes, GREASE
* `cipher_suites`  code to name of every TLS cipher suite (generated data)
* `cipher_split`   a suite taken apart: key exchange, authentication, symmetric cipher, MAC, PRF hash
* `ip`             IP protocol numbers, ports of likely servers
* `quic`           versions, errors, transport parameters
* `listing`        how runs of names are written in the modules above

Functions called `zeek_...` give Zeek's own spelling and serve Zeek output only.
"""
