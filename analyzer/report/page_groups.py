"""Which exchanges belong to one page load.

Every exchange has a parent: the exchange that made the client ask. A document (the browser says so with Sec-Fetch-Dest, else its type is
HTML) has none, but for a redirect that led to it. The others: the exchange whose URL is their Referer; where that is only an origin,
as policies cut it across sites, the last document of that origin; where the browser says that it is no document and sends no Referer,
its last document. At most WINDOW lies between. The page of an exchange is where its parents end.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from analyzer.tables import Ints

Mask = npt.NDArray[np.bool_]
WINDOW: Final = 30_000_000_000  # ns
SAME_VISIT: Final = 1_000_000_000  # a document with a Referer but without hints, so long after the one before, is a new page


class Asked(NamedTuple):
    """(n,) exchanges in the order of their requests. Codes are equal where texts are; -1 = there is none.

    Attributes:
        client: of address and user agent.
        url, referrer, location: codes of absolute URLs without fragment.
        origin: code of the URL's origin as a URL (``https://host/``).
        start, end: first byte of the request, last byte seen, ns.
        is_html, is_redirect: by type and status of the response.
        fetch: EXCHANGE.fetch.
    """

    client: Ints
    url: Ints
    referrer: Ints
    location: Ints
    origin: Ints
    start: Ints
    end: Ints
    is_html: Mask
    is_redirect: Mask
    fetch: Ints


def latest_before(keys: Ints, there: Mask, wanted: Ints, wants: Mask) -> Ints:
    """For each place the last earlier place that is ``there`` and whose key is the one wanted; -1 = none."""
    n = len(keys)
    found = np.full(n, -1, np.int64)
    candidates = np.flatnonzero(there)
    asking = np.flatnonzero(wants)
    if len(candidates) == 0 or len(asking) == 0:
        return found
    distinct, codes = np.unique(np.concatenate((keys[candidates], wanted[asking])), return_inverse=True)
    assert len(distinct) * n < 1 << 62
    places = codes[: len(candidates)] * n + candidates
    order = np.argsort(places)
    at = np.searchsorted(places[order], codes[len(candidates) :] * n + asking) - 1
    hit = at >= 0
    nearest = candidates[order[np.maximum(at, 0)]]
    hit &= keys[nearest] == wanted[asking]
    found[asking[hit]] = nearest[hit]
    return found


def _key(client: Ints, code: Ints) -> Ints:
    return client << 32 | (code & 0xFFFFFFFF)


def find_parents(x: Asked) -> Ints:
    """(n,) place of each exchange's parent, -1 = it begins something."""
    n = len(x.start)
    everyone = np.ones(n, np.bool_)
    redirect = latest_before(_key(x.client, x.location), x.is_redirect & (x.location >= 0), _key(x.client, x.url), everyone)
    redirect = np.where((redirect >= 0) & (x.start - x.end[redirect] <= WINDOW) & (x.start >= x.start[redirect]), redirect, -1)
    exact = latest_before(_key(x.client, x.url), everyone, _key(x.client, x.referrer), x.referrer >= 0)
    is_late = x.start - np.where(exact >= 0, x.end[exact], x.start) > SAME_VISIT
    is_document = (x.fetch == 1) | ((x.fetch == 0) & x.is_html & ((exact < 0) | is_late))
    documents = is_document & x.is_html
    by_origin = latest_before(_key(x.client, x.origin), documents, _key(x.client, x.referrer), x.referrer >= 0)
    hinted = latest_before(x.client, documents, x.client, x.fetch == 2)
    parent = np.where(exact >= 0, exact, by_origin)
    parent = np.where((parent < 0) & (x.referrer < 0), hinted, parent)
    parent = np.where((parent >= 0) & (x.start - x.end[parent] <= WINDOW), parent, -1)
    parent = np.where(is_document, -1, parent)
    return np.where(redirect >= 0, redirect, parent)


def find_roots(parents: Ints) -> Ints:
    """(n,) where the chain of parents of each ends."""
    roots = np.where(parents >= 0, parents, np.arange(len(parents)))
    while True:
        further = roots[roots]
        if np.array_equal(further, roots):
            return roots
        roots = further
