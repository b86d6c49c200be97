"""Stage 5: runs of stream bytes and datagrams become rows of messages. One folder a protocol; they do not know each other."""
