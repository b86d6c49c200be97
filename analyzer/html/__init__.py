"""The report as one HTML file that opens offline: ``collecting`` keeps what it shows, ``content`` makes it ready, ``parts`` is the page."""
